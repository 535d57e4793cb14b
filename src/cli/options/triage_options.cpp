#include "cli/options/triage_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

namespace photon_dmesg {
namespace {

// Names that stand for several kinds.
constexpr std::string_view any = "any";
constexpr std::string_view lockup = "lockup";

std::vector<FindingKind> kinds_of(std::string_view name) {
  if (name == lockup) return {FindingKind::HardLockup, FindingKind::SoftLockup};
  std::vector<FindingKind> kinds;
  for (const KindNames& kind : finding_kinds()) {
    if (name == any || name == kind.name) kinds.push_back(kind.kind);
  }
  return kinds;
}

CLI::Validator kind_name() {
  return {[](std::string& value) {
            return kinds_of(value).empty()
                       ? fmt::format(
                             "expected kinds of findings as docs/triage.md lists them, "
                             "any or lockup, found {}",
                             value)
                       : std::string();
          },
          ""};
}

}  // namespace

void add_triage_options(CLI::App& command, TriageOptions& options) {
  command.add_flag("--log", options.log_only, "FILE is the text of a log, such as dmesg prints");
  command.add_flag("--hash", options.hash,
                   "Put the SHA-256 of the inputs into JSON too, as\nmarkdown and html have it");
  command
      .add_option_function<std::vector<std::string>>(
          "--fail-on",
          [&options](const std::vector<std::string>& names) {
            for (const std::string& name : names) {
              std::ranges::copy(kinds_of(name), std::back_inserter(options.fail_on));
            }
          },
          "Exit with 10 if one of these is found: panic, oops,\nlockup, deadlock... or any")
      ->type_name("KIND,...")
      ->delimiter(',')
      ->check(kind_name())
      ->allow_extra_args(false);
}

}  // namespace photon_dmesg
