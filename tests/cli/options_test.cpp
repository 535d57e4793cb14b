#include "cli/options.h"

#include <catch2/catch.hpp>

#include "support/errors.h"

namespace photon_dmesg::test {
namespace {

std::optional<Options> parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "photon-dmesg");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return parse_options(static_cast<int>(argv.size()), argv.data());
}

}  // namespace

TEST_CASE("options: files alone mean text on stdout") {
  const Options options = parse({"photon.iso", "vm.vmss", "vm.vmem"}).value();
  CHECK(options.files == std::vector<std::filesystem::path>{"photon.iso", "vm.vmss", "vm.vmem"});
  CHECK_FALSE(options.output);
  CHECK(options.format->name == "text");
  CHECK(options.verbosity == Diagnostics::Level::Normal);
}

TEST_CASE("options: every option has its long and its short form, before or behind the files") {
  CHECK(parse({"-J", "a"})->format->name == "json");
  CHECK(parse({"a", "--json"})->format->name == "json");
  for (const char* name : {"text", "json", "ndjson"}) {
    CHECK(parse({"--format", name, "a"})->format->name == name);
  }
  CHECK(parse({"-o", "out", "a"})->output == std::filesystem::path("out"));
  CHECK(parse({"a", "--output=out"})->output == std::filesystem::path("out"));
  CHECK(parse({"-v", "a"})->verbosity == Diagnostics::Level::Verbose);
  CHECK(parse({"--verbose", "a"})->verbosity == Diagnostics::Level::Verbose);
  CHECK(parse({"-q", "a"})->verbosity == Diagnostics::Level::Quiet);
  CHECK(parse({"--quiet", "a"})->verbosity == Diagnostics::Level::Quiet);
}

TEST_CASE("options: what makes no sense is a usage error") {
  check_fails(Failure::Usage, "FILE is required (see photon-dmesg --help)",
              [] { (void)parse({}); });
  check_fails(Failure::Usage, "--nonsense", [] { (void)parse({"--nonsense", "a"}); });
  check_fails(Failure::Usage, "--format xml: expected text, json or ndjson", [] {
    (void)parse({"--format", "xml", "a"});
  });
  check_fails(Failure::Usage, "excludes", [] { (void)parse({"-J", "--format", "text", "a"}); });
  check_fails(Failure::Usage, "excludes", [] { (void)parse({"-q", "-v", "a"}); });
}

TEST_CASE("options: profile is a command with options of its own") {
  const Options options =
      parse({"profile", "--release", "6.1.10", "photon.iso", "-o", "p.json"}).value();
  CHECK(options.command == Command::Profile);
  CHECK(options.files == std::vector<std::filesystem::path>{"photon.iso"});
  CHECK(options.release == "6.1.10");
  CHECK(options.output == std::filesystem::path("p.json"));
  CHECK(parse({"photon.iso"})->command == Command::Log);
  check_fails(Failure::Usage, "FILE is required", [] { (void)parse({"profile"}); });
  check_fails(Failure::Usage, "--release", [] { (void)parse({"--release", "6.1", "photon.iso"}); });
}

TEST_CASE("options: the cache is used unless it is not wanted") {
  CHECK(parse({"a"})->use_cache);
  CHECK_FALSE(parse({"--no-cache", "a"})->use_cache);
}

TEST_CASE("options: times and selections") {
  CHECK(parse({"a"})->time_format == TimeFormat::SinceBoot);
  CHECK(parse({"-T", "a"})->time_format == TimeFormat::Ctime);
  CHECK(parse({"--time-format", "ctime", "a"})->time_format == TimeFormat::Ctime);
  CHECK(parse({"--time-format", "iso", "a"})->time_format == TimeFormat::Iso);
  check_fails(Failure::Usage, "--time-format unix: expected ctime or iso", [] {
    (void)parse({"--time-format", "unix", "a"});
  });
  check_fails(Failure::Usage, "excludes", [] { (void)parse({"-T", "--time-format", "iso", "a"}); });
  CHECK(parse({"--since-clear", "a"})->since_clear);
  CHECK(parse({"--unprinted", "a"})->unprinted);
  CHECK(parse({"--cleared", "a"})->cleared);
  check_fails(Failure::Usage, "excludes", [] { (void)parse({"--cleared", "--since-clear", "a"}); });
  CHECK_FALSE(parse({"a"})->since_clear);
  CHECK_FALSE(parse({"a"})->unprinted);
}

TEST_CASE("options: core wants a folder") {
  const Options options = parse({"core", "a.iso", "vm.vmss", "-o", "out"}).value();
  CHECK(options.command == Command::Core);
  CHECK(options.files.size() == 2);
  CHECK(options.output == std::filesystem::path("out"));
  check_fails(Failure::Usage, "--output", [] { (void)parse({"core", "vm.vmss"}); });
}

TEST_CASE("options: info, and what it takes out") {
  const Options options =
      parse({"info", "vm.vmss", "--json", "--tags", "--screenshot", "s.png", "--vmx", "v"}).value();
  CHECK(options.command == Command::Info);
  CHECK(options.json);
  CHECK(options.tags);
  CHECK(options.screenshot == std::filesystem::path("s.png"));
  CHECK(options.configuration == std::filesystem::path("v"));
  CHECK_FALSE(parse({"info", "vm.vmss"})->json);
}

}  // namespace photon_dmesg::test
