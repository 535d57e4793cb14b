#include "cli/guest_triage.h"

#include <catch2/catch.hpp>
#include <span>
#include <string>

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "base/file_stream.h"

namespace photon_dmesg {
namespace {

std::vector<Finding> findings_in(const std::string& log) {
  const BufferSource source("log", std::as_bytes(std::span(log)));
  FileStream input(source);
  SilentDiagnostics diagnostics;
  return judge_text_log(input, "a text", diagnostics).verdict.findings;
}

constexpr const char* panicked = R"([    0.000000] Linux version 6.1.10-1.ph5 (root@photon)
[   50.000000] Kernel panic - not syncing: first
[   50.000001] Rebooting in 10 seconds..
)";
constexpr const char* stuck = R"([    0.000000] Linux version 6.1.10-1.ph5 (root@photon)
[   20.000000] EXT4-fs (sda2): Remounting filesystem read-only
[   30.000000] watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [a:1]
)";

TEST_CASE("In a log of several boots the last one's findings come first, each boot's by itself") {
  const std::vector<Finding> findings = findings_in(std::string(panicked) + panicked + stuck);
  REQUIRE(findings.size() == 4);
  CHECK(findings[0].kind == FindingKind::SoftLockup);
  CHECK(findings[0].notes.empty());
  CHECK(findings[1].kind == FindingKind::ReadOnlyFileSystem);
  CHECK(findings[2].kind == FindingKind::Panic);
  CHECK(findings[2].evidence.front().record == 5);
  CHECK(findings[2].notes.back() == "it was in an earlier boot: the log has 1 later one");
  CHECK(findings[3].kind == FindingKind::Panic);
  CHECK(findings[3].evidence.front().record == 2);
  CHECK(findings[3].notes.back() == "it was in an earlier boot: the log has 2 later ones");
  for (const Finding& finding : findings) CHECK(finding.consequences.empty());
}

TEST_CASE("A panic after which the guest was well is still told of") {
  const std::vector<Finding> findings =
      findings_in(std::string(panicked) + "[    0.000000] Linux version 6.1.10-1.ph5 (root)\n");
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].kind == FindingKind::Panic);
}

}  // namespace
}  // namespace photon_dmesg
