#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "support/sample_report.h"

// What a format says of whose record it is, where logs of several guests follow each other.
namespace photon_dmesg::test {
namespace {

using Json = nlohmann::json;

SampleReport one_of_several() {
  SampleReport report = sample_report();
  report.guest.clock = sample_clock;
  report.is_one_of_several = true;
  return report;
}

SampleReport alone() {
  SampleReport report = one_of_several();
  report.is_one_of_several = false;
  return report;
}

TEST_CASE("Several guests: an ndjson line names the checkpoint with its folder, and the host") {
  Json line = Json::parse(written(one_of_several(), "ndjson"));
  CHECK(line.at("guest") == "dir/vm.vmss");
  CHECK(line.at("hostname") == "web-1");
  line.erase("guest");
  line.erase("hostname");
  CHECK(line == Json::parse(written(alone(), "ndjson")));
}

TEST_CASE("Several guests: ecs names the checkpoint of what is no record too") {
  CHECK(written(one_of_several(), "ecs") == written(alone(), "ecs"));
  SampleReport report = one_of_several();
  report.records.clear();
  report.unlogged.emplace_back().text = "text";
  CHECK(Json::parse(written(report, "ecs")).at("log").at("file").at("path") == "dir/vm.vmss");
  report.unlogged.clear();
  report.host_lines = {sample_host_line()};
  CHECK(Json::parse(written(report, "ecs")).at("labels").at("checkpoint") == "dir/vm.vmss");
}

TEST_CASE("Several guests: otlp has a resource for each in one request") {
  const std::string resource = written(one_of_several(), "otlp");
  CHECK(Json::parse(resource).contains("scopeLogs"));
  const auto framed = [](const std::string& content) {
    return std::string(otlp_frame.begin) + content + std::string(otlp_frame.end);
  };
  CHECK(framed(resource) == written(alone(), "otlp"));
  const Json both = Json::parse(framed(resource + std::string(otlp_frame.between) + resource));
  CHECK(both.at("resourceLogs").size() == 2);
}

TEST_CASE("Several guests: syslog has structured data of our own, escaped") {
  SampleReport report = one_of_several();
  report.source.checkpoint = "a \"b\"]\\c\n";
  const std::string line = written(report, "syslog");
  CHECK(line.find(
            R"( [meta sequenceId="43" sysUpTime="123"])"
            R"sd([photon-dmesg@32473 checkpoint="a \"b\"\]\\c\\x0a" vm="Photon (old)"] plain)sd") !=
        std::string::npos);
  CHECK(written(alone(), "syslog").find("32473") == std::string::npos);
}

TEST_CASE("Several guests: a journal's entries have fields of ours") {
  const Json entry = Json::parse(written(one_of_several(), "journal-json"));
  CHECK(entry.at("PHOTON_CHECKPOINT") == "dir/vm.vmss");
  CHECK(entry.at("PHOTON_VM") == "Photon (old)");
  CHECK(written(one_of_several(), "journal-export").find("\nPHOTON_CHECKPOINT=dir/vm.vmss\n") !=
        std::string::npos);
  CHECK(written(alone(), "journal-export").find("PHOTON_") == std::string::npos);
}

}  // namespace
}  // namespace photon_dmesg::test
