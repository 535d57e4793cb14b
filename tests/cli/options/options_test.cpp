#include "cli/options/options.h"

#include <catch2/catch.hpp>

#include "support/errors.h"
#include "support/temporary_folder.h"

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
  CHECK(options.verbosity == TerminalDiagnostics::Level::Normal);
}

TEST_CASE("options: every option has its long and its short form, before or behind the files") {
  CHECK(parse({"-J", "a"})->format->name == "dmesg-json");
  CHECK(parse({"a", "--json"})->format->name == "json");
  CHECK(parse({"a", "--ndjson"})->format->name == "ndjson");
  for (const OutputFormat& format : output_formats) {
    CHECK(parse({"--format", std::string(format.name), "a"})->format == &format);
  }
  CHECK(parse({"-o", "out", "a"})->output == std::filesystem::path("out"));
  CHECK(parse({"a", "--output=out"})->output == std::filesystem::path("out"));
  CHECK(parse({"-v", "a"})->verbosity == TerminalDiagnostics::Level::Verbose);
  CHECK(parse({"--verbose", "a"})->verbosity == TerminalDiagnostics::Level::Verbose);
  CHECK(parse({"-q", "a"})->verbosity == TerminalDiagnostics::Level::Quiet);
  CHECK(parse({"--quiet", "a"})->verbosity == TerminalDiagnostics::Level::Quiet);
}

TEST_CASE("options: what makes no sense is a usage error") {
  check_fails(Failure::Usage, "FILE is required (see photon-dmesg --help)",
              [] { (void)parse({}); });
  check_fails(Failure::Usage, "--nonsense", [] { (void)parse({"--nonsense", "a"}); });
  check_fails(Failure::Usage, "--tail: expected one value, found several (see", [] {
    (void)parse({"--tail", "1", "--tail", "2", "vm.vmss"});
  });
  check_fails(Failure::Usage, "--tail: expected a value, found none (see", [] {
    (void)parse({"a", "--tail"});
  });
  check_fails(Failure::Usage, "--pid: expected a value, found none (see", [] {
    (void)parse({"bt", "a", "--pid"});
  });
  check_fails(Failure::Usage, "--format xml: expected one of text, json, ndjson, ", [] {
    (void)parse({"--format", "xml", "a"});
  });
  for (const char* spelling : {"-J", "--json", "--ndjson"}) {
    check_fails(Failure::Usage, "excludes", [&] {
      (void)parse({spelling, "--format", "text", "a"});
    });
  }
  check_fails(Failure::Usage, "excludes", [] { (void)parse({"--json", "-J", "a"}); });
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

TEST_CASE("options: times, in the order in which they are asked for") {
  using F = TimeFormat;
  const auto times = [](std::vector<std::string> arguments) {
    arguments.emplace_back("a");
    return parse(std::move(arguments))->style.times;
  };
  using Formats = std::vector<TimeFormat>;
  CHECK(times({}) == Formats{F::SinceBoot});
  CHECK(times({"-T"}) == Formats{F::Ctime});
  CHECK(times({"-t"}) == Formats{F::None});
  CHECK(times({"-e"}) == Formats{F::Reltime});
  CHECK(times({"-H"}) == Formats{F::Reltime});
  CHECK(times({"-dT"}) == Formats{F::CtimeDelta});
  CHECK(times({"-t", "-d"}) == Formats{F::Delta});
  CHECK(times({"--time-format", "iso", "--time-format=raw"}) == Formats{F::Iso, F::SinceBoot});
  CHECK(times({"--time-format", "raw", "-T", "--time-format", "suspend"}) ==
        Formats{F::SinceBoot, F::Ctime, F::BeforeSuspend});
  CHECK(times({"--time-format", "iso,raw", "-T", "--time-format=suspend"}) ==
        Formats{F::Iso, F::SinceBoot, F::Ctime, F::BeforeSuspend});
  check_fails(Failure::Usage, "--time-format unix: expected one of ctime, notime, delta", [] {
    (void)parse({"--time-format", "iso,unix", "a"});
  });
  check_fails(Failure::Usage, "--time-format unix: expected one of ctime, notime, delta", [] {
    (void)parse({"--time-format", "unix", "a"});
  });
}

TEST_CASE("options: how text looks") {
  const auto style = [](std::vector<std::string> arguments) {
    arguments.emplace_back("a");
    return parse(std::move(arguments))->style;
  };
  CHECK_FALSE(style({}).decode);
  CHECK(style({"-x"}).decode);
  CHECK(style({"-r"}).raw);
  CHECK(style({"-p"}).force_prefix);
  CHECK_FALSE(style({"--noescape"}).escape);
  for (const char* always : {"-Lalways", "-L=always", "--color=always"}) {
    CHECK(style({always}).color);
  }
  for (const char* off : {"-L", "-Lnever", "--color=never"}) CHECK_FALSE(style({off}).color);
  check_fails(Failure::Usage, "--color often: expected auto, always or never",
              [&] { (void)style({"--color=often"}); });
  for (const char* other : {"-x", "-T", "-t", "-d", "-e", "-H", "-L"}) {
    check_fails(Failure::Usage, "excludes", [&] { (void)style({"-r", other}); });
  }
}

TEST_CASE("options: the value of -L does not take a file's name, nor hide another option") {
  const Options options = parse({"-L", "always", "-Tk", "Lalways"}).value();
  CHECK(options.files == std::vector<std::filesystem::path>{"always", "Lalways"});
}

TEST_CASE("options: levels and facilities by name, number and range") {
  const auto levels = [](const char* list) {
    return parse({"-l", list, "a"})->selection.levels->to_ulong();
  };
  CHECK(levels("err") == 0b1000);
  CHECK(levels("ERR,6") == 0b1001000);
  CHECK(levels("err+") == 0b1111);
  CHECK(levels("error,Warning") == 0b11000);
  CHECK(levels("error+") == 0b1111);
  CHECK(levels("+warning") == 0b11110000);
  CHECK(levels("+err") == 0b11111000);
  CHECK(levels("emerg,+notice") == 0b11100001);
  CHECK(parse({"-l", "err", "--level=warn", "a"})->selection.levels->to_ulong() == 0b11000);
  for (const char* bad : {"bad", "8", "err,,warn", "+err+", "-1"}) {
    check_fails(Failure::Usage, "expected levels from emerg to debug", [&] { (void)levels(bad); });
  }
  const auto facilities = [](std::vector<std::string> arguments) {
    arguments.emplace_back("a");
    return *parse(std::move(arguments))->selection.facilities;
  };
  CHECK(facilities({"-f", "daemon,local7"}).count() == 2);
  CHECK(facilities({"-f", "daemon,local7"}).test(23));
  CHECK(facilities({"-k"}).count() == 1);
  CHECK(facilities({"-u"}).count() == 255);
  CHECK_FALSE(facilities({"-u"}).test(0));
  CHECK(facilities({"-k", "-u"}).all());
  CHECK(facilities({"-u", "-f", "kern"}).all());
  check_fails(Failure::Usage, "--facility kernel: expected facilities from kern to local7", [&] {
    (void)facilities({"-f", "kernel"});
  });
  CHECK_FALSE(parse({"a"})->selection.levels);
  CHECK_FALSE(parse({"a"})->selection.facilities);
}

TEST_CASE("options: other selections") {
  CHECK(parse({"--since-clear", "a"})->since_clear);
  CHECK(parse({"--unprinted", "a"})->unprinted);
  CHECK(parse({"--cleared", "a"})->cleared);
  check_fails(Failure::Usage, "excludes", [] { (void)parse({"--cleared", "--since-clear", "a"}); });
  CHECK_FALSE(parse({"a"})->since_clear);
  CHECK(parse({"--since", "-5min", "--until", "17:00", "a"})->since == "-5min");
  CHECK(parse({"--since", "Mon 17:00", "a"})->since ==
        "Mon 17:00");  // on which day, none can tell yet
  check_fails(Failure::Usage, "--since soon: expected a time", [] {
    (void)parse({"--since", "soon", "a"});
  });
  check_fails(Failure::Usage, "--until soon: expected a time", [] {
    (void)parse({"--until", "soon", "a"});
  });
  const Options options = parse({"--grep", "a|b", "-i", "-C", "2", "--head", "5", "--tail", "6",
                                 "--from-seq", "7", "a"})
                              .value();
  REQUIRE(options.selection.pattern);
  CHECK(options.selection.pattern->matches("B"));
  CHECK(options.selection.lines_before == 2);
  CHECK(options.selection.lines_after == 2);
  CHECK(options.selection.head == 5);
  CHECK(options.selection.tail == 6);
  CHECK(options.selection.first_seq == 7);
  CHECK(parse({"--grep", "a", "-A", "3", "-B1", "a"})->selection.lines_before == 1);
  check_fails(Failure::Usage, "--after-context requires --grep", [] {
    (void)parse({"-A", "3", "a"});
  });
  CHECK(parse({"--tail", "010", "a"})->selection.tail == 10);
  for (const char* bad : {"x", "-3", "1.5", "0x10", "18446744073709551616"}) {
    check_fails(Failure::Usage,
                "--head: expected a number of records, found \"" + std::string(bad) + "\" (see",
                [&] {
                  (void)parse({"--head", bad, "a"});
                });
  }
  check_fails(Failure::Usage, "--from-seq: expected a sequence number, found \"x\"", [] {
    (void)parse({"--from-seq", "x", "a"});
  });
  check_fails(Failure::Usage, "--grep (", [] { (void)parse({"--grep", "(", "a"}); });
}

TEST_CASE("options: no value of any option may be empty, nor a file's name") {
  const auto refused = [](std::vector<std::string> arguments, const std::string& name) {
    check_fails(Failure::Usage, name + ": expected a value, found an empty one (see photon-dmesg",
                [&] { (void)parse(arguments); });
  };
  for (const char* option :
       {"--output", "--format", "--level", "--facility", "--since", "--until", "--from-seq",
        "--head", "--tail", "--grep", "--time-format", "--key"}) {
    refused({option, "", "a"}, option);
    refused({std::string(option) + "=", "a", "b"}, option);  // "a" is not its value
  }
  refused({"-o", "", "a"}, "--output");
  refused({"--color=", "a"}, "--color");
  refused({"core", "-o", "", "a"}, "--output");
  refused({"profile", "--release", "", "a"}, "--release");
  refused({"info", "--screenshot", "", "a"}, "--screenshot");
  refused({"info", "--vmx=", "a"}, "--vmx");
  refused({"a", ""}, "FILE");
  refused({"info", ""}, "FILE");
  CHECK(parse({"--grep", "a=", "--", "--output="})->files.front() == "--output=");
}

TEST_CASE("options: who mistypes an option or a command is told what may be meant") {
  const auto check = [](std::vector<std::string> arguments, const std::string& said) {
    check_fails(Failure::Usage, said + " (see photon-dmesg --help)",
                [&] { (void)parse(arguments); });
  };
  check({"--jsn", "a"}, "--jsn: photon-dmesg has no such option: did you mean --json?");
  check({"--colour=auto", "a"}, "--colour: photon-dmesg has no such option: did you mean --color?");
  check({"info", "--screen", "a"},
        "--screen: photon-dmesg info has no such option: did you mean --screenshot?");
  check({"info", "--tail", "3", "a"}, "--tail: photon-dmesg info has no such option, the log has");
  check({"--nonsense", "a"}, "--nonsense: photon-dmesg has no such option");
  check({"--tree", "a"}, "--tree: photon-dmesg has no such option, photon-dmesg ps has");
  check({"bt", "--fail-on", "any", "a"},
        "--fail-on: photon-dmesg bt has no such option, photon-dmesg triage has");
  check({"--lines=", "a"}, "--lines: photon-dmesg has no such option, photon-dmesg bt has");
  check({"hlep"}, "hlep: no such file: did you mean photon-dmesg help?");
  check({"help", "triag"}, "help triag: photon-dmesg has no such command: did you mean triage?");
  check({"help", "nonsense"}, "help nonsense: photon-dmesg has no such command");
  check({"inf", "a"}, "inf: no such file: did you mean photon-dmesg info?");
  check({"a", "profil"}, "profil: no such file: did you mean photon-dmesg profile?");
}

TEST_CASE("options: a command has its options wherever it stands") {
  CHECK(parse({"--strict", "bt", "--lines", "a"})->tasks.lines);
  CHECK(parse({"a", "info", "--tags"})->tags);
  CHECK(parse({"-o", "core", "a"})->command == Command::Log);
  CHECK(parse({"-o", "core", "ps", "--tree", "a"})->tasks.tree);
}

TEST_CASE("options: a file that has a name like a command's is a file") {
  const TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  folder.write("cores", "");
  CHECK(parse({"cores"})->files.front() == "cores");
  std::filesystem::current_path(before);
}

TEST_CASE("options: only the first command is one") {
  const Options options = parse({"bt", "ps"}).value();
  CHECK(options.command == Command::Traces);
  CHECK(options.files == std::vector<std::filesystem::path>{"ps"});
}

TEST_CASE("options: a format has one name in all commands") {
  for (const char* command : {"bt", "ps", "triage"}) {
    CHECK(parse({command, "a"})->report_format == "text");
    CHECK(parse({command, "a", "-J"})->report_format == "json");
    CHECK(parse({command, "a", "--ndjson"})->report_format == "ndjson");
    CHECK(parse({command, "a", "--format", "ndjson"})->report_format == "ndjson");
    check_fails(Failure::Usage, "excludes", [&] { (void)parse({command, "a", "-J", "--ndjson"}); });
    check_fails(Failure::Usage, "excludes", [&] {
      (void)parse({command, "a", "--json", "--format", "text"});
    });
  }
  CHECK(parse({"info", "a", "--format", "json"})->report_format == "json");
  check_fails(Failure::Usage, "expected one of text, json, found ndjson", [] {
    (void)parse({"info", "a", "--format", "ndjson"});
  });
}

TEST_CASE("options: a dash is stdout, which no folder is") {
  CHECK_FALSE(parse({"-o", "-", "a"})->output);
  CHECK_FALSE(parse({"profile", "-o-", "a"})->output);
  check_fails(Failure::Usage, "--output -: expected a folder, found stdout", [] {
    (void)parse({"core", "-o", "-", "a"});
  });
}

TEST_CASE("options: core wants a folder") {
  const Options options = parse({"core", "a.iso", "vm.vmss", "-o", "out"}).value();
  CHECK(options.command == Command::Core);
  CHECK(options.files.size() == 2);
  CHECK(options.output == std::filesystem::path("out"));
  check_fails(Failure::Usage, "--output", [] { (void)parse({"core", "vm.vmss"}); });
}

TEST_CASE("options: all that prints can be redacted") {
  CHECK_FALSE(parse({"a"})->redact);
  CHECK(parse({"--redact", "a", "--format", "ecs"})->redact);
  CHECK(parse({"triage", "a", "--redact", "--format", "html"})->redact);
  for (const char* command : {"bt", "ps", "info"}) {
    CHECK(parse({command, "a", "--redact"})->redact);
  }
  for (const char* other : {"--tags", "--screenshot=b", "--vmx=b"}) {
    CAPTURE(other);
    CHECK_THROWS_AS(parse({"info", "a", "--redact", other}), Error);
  }
  CHECK_THROWS_AS(parse({"core", "a", "--redact", "-o", "b"}), Error);
}

TEST_CASE("options: triage's inputs have their digests on demand") {
  CHECK_FALSE(parse({"triage", "a"})->triage.hash);
  CHECK(parse({"triage", "a", "--json", "--hash"})->triage.hash);
}

TEST_CASE("options: info, and what it takes out") {
  const Options options =
      parse({"info", "vm.vmss", "--json", "--tags", "--screenshot", "s.png", "--vmx", "v"}).value();
  CHECK(options.command == Command::Info);
  CHECK(options.report_format == "json");
  CHECK(options.tags);
  CHECK(options.screenshot == std::filesystem::path("s.png"));
  CHECK(options.configuration == std::filesystem::path("v"));
  CHECK(parse({"info", "vm.vmss"})->report_format == "text");
}

}  // namespace photon_dmesg::test
