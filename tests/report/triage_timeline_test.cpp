#include "report/triage_timeline.h"

#include <catch2/catch.hpp>

#include "support/sample_triage.h"

namespace photon_dmesg::test {
namespace {

TEST_CASE("A timeline has findings, records, the last message and the stop in their order") {
  const std::optional<Timeline> timeline = timeline_of(sample_triage("lab"));
  REQUIRE(timeline);
  std::vector<std::pair<std::uint64_t, Timeline::Kind>> found;
  for (const auto& event : timeline->events) found.emplace_back(event.nsec, event.kind);
  CHECK(found == std::vector<std::pair<std::uint64_t, Timeline::Kind>>{
                     {10'000'000'000, Timeline::Kind::Finding},
                     {11'000'000'000, Timeline::Kind::Record},
                     {11'000'000'000, Timeline::Kind::LastMessage},
                     {12'000'000'000, Timeline::Kind::Consequence},
                     {30'000'000'000, Timeline::Kind::Stop}});
  CHECK(timeline->silent_since_nsec == 11'000'000'000);
  CHECK(timeline->end_nsec == 30'000'000'000);
}

TEST_CASE("A long life is shown from shortly before the first event") {
  TriageReport report = sample_triage("lab");
  report.facts.time.now_nsec = 30'000'000'000;
  CHECK(timeline_of(report)->begin_nsec == 0);
  constexpr std::uint64_t days = 500'000'000'000'000;
  report.facts.time.now_nsec = days;
  report.facts.last_record_nsec = days;
  report.verdict.findings.resize(1);
  Finding& finding = report.verdict.findings.front();
  finding.since_nsec = days - 60'000'000'000;
  finding.evidence.clear();
  finding.consequences.clear();
  const std::optional<Timeline> timeline = timeline_of(report);
  CHECK(timeline->begin_nsec == days - 90'000'000'000);
  CHECK_FALSE(timeline->silent_since_nsec);
}

TEST_CASE("A timeline of a log alone ends with its last message") {
  TriageReport report = sample_triage("lab");
  report.facts.time.now_nsec = 0;
  const std::optional<Timeline> timeline = timeline_of(report);
  REQUIRE(timeline);
  CHECK(timeline->end_nsec == 11'000'000'000);
  CHECK_FALSE(timeline->silent_since_nsec);
  for (const auto& event : timeline->events) CHECK(event.kind != Timeline::Kind::Stop);
}

TEST_CASE("There is no timeline where no time is known") {
  CHECK_FALSE(timeline_of(TriageReport()));
}

TEST_CASE("Of very many events the first are shown and the others counted") {
  TriageReport report = sample_triage("lab");
  for (std::uint64_t i = 0; i < 1000; ++i) {
    report.verdict.findings.front().evidence.push_back(
        {.what = "again", .record = i, .nsec = 20'000'000'000 + i});
  }
  const std::optional<Timeline> timeline = timeline_of(report);
  CHECK(timeline->events.size() == 42);
  CHECK(timeline->events.back().kind == Timeline::Kind::Stop);
  CHECK(timeline->left_out == 963);
}

}  // namespace
}  // namespace photon_dmesg::test
