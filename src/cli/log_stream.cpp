#include "cli/log_stream.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/exit_status.h"
#include "cli/guest_log.h"
#include "cli/output.h"
#include "cli/private_names.h"
#include "cli/session_options.h"
#include "report/redactor.h"
#include "session/several_guests.h"

namespace photon_dmesg {
namespace {

// Says of which guest a warning is.
class NamedDiagnostics final : public Diagnostics {
 public:
  NamedDiagnostics(std::string name, Diagnostics& diagnostics)
      : name_(std::move(name)), diagnostics_(diagnostics) {}

  void warn(std::string message) override { diagnostics_.warn(named(message)); }
  void warn_of_lack(std::string message) override { diagnostics_.warn_of_lack(named(message)); }
  void found(Evidence evidence) override { diagnostics_.found(std::move(evidence)); }
  void progress(const Progress& progress) override { diagnostics_.progress(progress); }

 private:
  [[nodiscard]] std::string named(const std::string& message) const {
    return message.find(name_) == std::string::npos ? fmt::format("{}: {}", name_, message)
                                                    : message;
  }

  std::string name_;
  Diagnostics& diagnostics_;
};

// Several guests' logs on their way to one output.
class LogStream {
 public:
  // `redactor` is one for all: what two guests name has one placeholder.
  LogStream(const Options& options, GuestGroups groups, std::shared_ptr<BundleTree> tree,
            Redactor& redactor, TerminalDiagnostics& diagnostics)
      : options_(options),
        guests_(std::move(groups), std::move(tree), session_options(options), diagnostics),
        redactor_(redactor),
        diagnostics_(diagnostics) {}

  void write(std::ostream& out) {
    out << options_.format->frame.begin;
    for (std::size_t i = 0; i < guests_.size(); ++i) {
      try {
        write_guest(i, out);
      } catch (const Error& error) {
        if (options_.strict || is_writing_) throw;
        add_failure(i, error);
      }
    }
    if (printed_ == 0) throw Error(failures_.front());
    out << options_.format->frame.end;
  }

  [[nodiscard]] bool is_complete() const { return is_complete_ && failures_.empty(); }

 private:
  void write_guest(std::size_t at, std::ostream& out) {
    NamedDiagnostics named(guests_.name(at), diagnostics_);
    Guest guest = guests_.open(at, named);
    Options options = options_;
    options.files = guests_.files(at);
    GuestLog log(options, guest, true, redactor_, named);
    diagnostics_.clear_progress();
    is_writing_ = true;  // half a log is no log: from here on an Error ends all
    if (printed_ > 0) out << options_.format->frame.between;
    ++printed_;
    log.write(out, diagnostics_.warnings());
    is_writing_ = false;
    is_complete_ = is_complete_ && log.is_complete();
  }

  // The only one that fails where all do is what the user is told in the end.
  void add_failure(std::size_t at, const Error& error) {
    failures_.push_back(error);
    const bool is_last = at + 1 == guests_.size();
    if (is_last && printed_ == 0 && failures_.size() == 1) return;
    NamedDiagnostics named(guests_.name(at), diagnostics_);
    named.warn_of_lack(fmt::format("this guest's log is not printed: {}", error.what()));
  }

  const Options& options_;
  session::SeveralGuests guests_;
  Redactor& redactor_;
  TerminalDiagnostics& diagnostics_;
  std::vector<Error> failures_;
  std::size_t printed_ = 0;
  bool is_writing_ = false;
  bool is_complete_ = true;
};

}  // namespace

int print_logs(const Options& options, GuestGroups groups, std::shared_ptr<BundleTree> tree,
               Redactor& redactor, TerminalDiagnostics& diagnostics) {
  if (options.redact) {
    learn_guests(groups, tree, session_options(options), redactor);
    warn_of_missed_names(redactor, diagnostics);
    diagnostics.release();
  }
  LogStream stream(options, std::move(groups), std::move(tree), redactor, diagnostics);
  write_output(options, [&](std::ostream& out) { stream.write(out); });
  return stream.is_complete() && !diagnostics.has_lack() ? exit_complete : exit_incomplete;
}

Error with_ways_to_read_all(const Error& error) {
  std::vector<std::string_view> names;
  for (const OutputFormat& format : output_formats) {
    if (format.takes_several) names.push_back(format.name);
  }
  return {
      error.failure(),
      fmt::format("{}, or read all of them: --format {} can hold several logs, and photon-dmesg "
                  "batch is for many",
                  error.what(), fmt::join(names, ", "))};
}

}  // namespace photon_dmesg
