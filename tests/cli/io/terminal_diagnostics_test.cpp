#include "cli/io/terminal_diagnostics.h"

#include <catch2/catch.hpp>

#include "support/captured_stderr.h"

namespace photon_dmesg::test {
namespace {

using Level = TerminalDiagnostics::Level;

// What the user sees of a warning, a piece of evidence and some progress.
std::string shown_at(Level level) {
  return captured_stderr([&] {
    TerminalDiagnostics diagnostics(level);
    diagnostics.progress({.what = "reading vmlinux", .done = 1, .total = 2});
    diagnostics.found({.what = "KASLR offset", .value = "0x1000000"});
    diagnostics.warn("something is odd");
    diagnostics.clear_progress();
  });
}

}  // namespace

TEST_CASE("terminal: a sentence of each part of evidence that there is") {
  const auto sentence = [](bool has_value, bool has_where, bool has_how) {
    return describe({.what = "KASLR offset",
                     .value = has_value ? "0x1000000" : "",
                     .where = has_where ? "vCPU 0" : "",
                     .how = has_how ? "by the banner" : ""});
  };
  CHECK(sentence(false, false, false) == "KASLR offset");
  CHECK(sentence(true, false, false) == "KASLR offset 0x1000000");
  CHECK(sentence(false, true, false) == "vCPU 0: KASLR offset");
  CHECK(sentence(false, false, true) == "KASLR offset: by the banner");
  CHECK(sentence(true, true, false) == "vCPU 0: KASLR offset 0x1000000");
  CHECK(sentence(true, false, true) == "KASLR offset 0x1000000: by the banner");
  CHECK(sentence(false, true, true) == "vCPU 0: KASLR offset: by the banner");
  CHECK(sentence(true, true, true) == "vCPU 0: KASLR offset 0x1000000: by the banner");
}

TEST_CASE(
    "terminal: warnings unless quiet, evidence only if asked for, progress only on terminals") {
  const std::string warning = "photon-dmesg: warning: something is odd\n";
  CHECK(shown_at(Level::Quiet).empty());
  CHECK(shown_at(Level::Normal) == warning);
  CHECK(shown_at(Level::Verbose) == "photon-dmesg: KASLR offset 0x1000000\n" + warning);
}

TEST_CASE("terminal: what is held is said in its form, in order, once it is released") {
  TerminalDiagnostics diagnostics(Level::Verbose);
  std::string secret = "yet unknown";
  const auto form = [&](std::string_view message) {
    std::string text(message);
    if (const auto at = text.find(secret); at != std::string::npos) {
      text.replace(at, secret.size(), "<secret>");
    }
    return text;
  };
  CHECK(captured_stderr([&] {
          diagnostics.hold(form);
          diagnostics.warn("of web-1");
          diagnostics.found({.what = "boot", .value = "web-1"});
        }).empty());
  secret = "web-1";
  CHECK(captured_stderr([&] { diagnostics.release(); }) ==
        "photon-dmesg: warning: of <secret>\nphoton-dmesg: boot <secret>\n");
  CHECK(captured_stderr([&] {
          diagnostics.release();
          diagnostics.warn_of_lack("web-1 again");
        }) == "photon-dmesg: warning: <secret> again\n");
  CHECK(diagnostics.said("web-1") == "<secret>");
  CHECK(diagnostics.warnings() == std::vector<std::string>{"of web-1", "web-1 again"});
  CHECK(TerminalDiagnostics(Level::Normal).said("web-1") == "web-1");
}

TEST_CASE("terminal: warnings are kept for the report, also those that quiet does not show") {
  for (const Level level : {Level::Quiet, Level::Normal, Level::Verbose}) {
    TerminalDiagnostics diagnostics(level);
    (void)captured_stderr([&] {
      diagnostics.warn("one");
      diagnostics.found({.what = "no warning"});
      diagnostics.warn("two \x1b[31m");
    });
    CHECK(diagnostics.warnings() == std::vector<std::string>{"one", "two \x1b[31m"});
  }
}

TEST_CASE("terminal: no control byte of a file's name or a guest's memory reaches it") {
  const std::string shown = captured_stderr([] {
    TerminalDiagnostics diagnostics(Level::Verbose);
    diagnostics.warn("\x1b[31mred");
    diagnostics.found({.what = "banner", .value = "a\nb"});
  });
  CHECK(shown == "photon-dmesg: warning: \\x1b[31mred\nphoton-dmesg: banner a\\x0ab\n");
}

}  // namespace photon_dmesg::test
