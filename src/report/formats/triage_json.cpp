#include <fmt/format.h>

#include <string>
#include <string_view>

#include "report/formats/json_text.h"
#include "report/formats/vocabulary.h"
#include "report/triage_report.h"
#include "triage/rules/frames.h"

namespace photon_dmesg {
namespace {

constexpr const char* triage_schema = "photon-dmesg-triage";
constexpr const char* clean = "clean";  // the verdict where there is no finding

std::string utf8(std::string_view text) {
  return to_utf8(text).text;
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(utf8(text));
}

Json to_json(const TaskName& task) {
  return {{"pid", task.pid}, {"comm", utf8(task.comm)}};
}

Json to_json(const std::optional<TaskName>& task) {
  return task ? to_json(*task) : Json(nullptr);
}

Json to_json(const Witness& witness) {
  return {{"what", utf8(witness.what)},
          {"value", text_or_null(witness.value)},
          {"address", witness.address ? Json(hexadecimal(witness.address->value)) : Json(nullptr)},
          {"seq", number_or_null(witness.record)},
          {"ts_nsec", number_or_null(witness.nsec)}};
}

Json to_json(const std::vector<Witness>& witnesses) {
  Json list = Json::array();
  for (const Witness& witness : witnesses) list.push_back(to_json(witness));
  return list;
}

Json to_json(const std::vector<AffectedTask>& tasks) {
  Json list = Json::array();
  for (const AffectedTask& task : tasks) {
    Json entry = to_json(task.name);
    entry["since_nsec"] = number_or_null(task.since_nsec);
    list.push_back(std::move(entry));
  }
  return list;
}

Json to_json(const TriageReport& report, const Finding& finding, const char* role) {
  const std::uint64_t now = report.facts.time.now_nsec;
  const bool has_age = finding.since_nsec && now >= *finding.since_nsec;
  Json consequences = Json::array();
  for (const Finding& consequence : finding.consequences) {
    consequences.push_back(to_json(report, consequence, "consequence"));
  }
  return {{"kind", std::string(name_of(finding.kind))},
          {"grade", std::string(name_of(finding.grade))},
          {"role", role},
          {"summary", utf8(finding.summary)},
          {"object", text_or_null(finding.object)},
          {"cpu", number_or_null(finding.cpu)},
          {"task", to_json(finding.task)},
          {"since_nsec", number_or_null(finding.since_nsec)},
          {"age_nsec", has_age ? Json(now - *finding.since_nsec) : Json(nullptr)},
          {"cause", text_or_null(finding.cause)},
          {"blocker", to_json(finding.blocker)},
          {"evidence", to_json(finding.evidence)},
          {"against", to_json(finding.against)},
          {"tasks", to_json(finding.tasks)},
          {"notes", sentences_to_json(finding.notes)},
          {"consequences", std::move(consequences)}};
}

Json verdict_to_json(const TriageReport& report) {
  const std::vector<Finding>& findings = report.verdict.findings;
  if (findings.empty()) {
    return {{"kind", clean}, {"grade", nullptr}, {"text", headline(report)}};
  }
  return {{"kind", std::string(name_of(findings.front().kind))},
          {"grade", std::string(name_of(findings.front().grade))},
          {"text", utf8(headline(report))}};
}

Json findings_to_json(const TriageReport& report) {
  Json list = Json::array();
  for (const Finding& finding : report.verdict.findings) {
    list.push_back(to_json(report, finding, "cause"));
  }
  return list;
}

Json vcpus_to_json(const TriageReport& report) {
  Json list = Json::array();
  for (const VcpuActivity& vcpu : report.facts.vcpus) {
    const std::string doing = summary_of(vcpu.trace);
    const auto mode = mode_of(vcpu);
    Json task = nullptr;
    if (vcpu.task) task = to_json(TaskName{vcpu.task->pid, vcpu.task->comm});
    list.push_back(
        {{"vcpu", vcpu.vcpu},
         {"cpu", number_or_null(vcpu.cpu)},
         {"mode", mode ? Json(*mode) : Json(nullptr)},
         {"idle", is_idle(vcpu)},
         {"interrupts", vcpu.takes_interrupts ? Json(*vcpu.takes_interrupts) : Json(nullptr)},
         {"task", std::move(task)},
         {"doing", text_or_null(doing)}});
  }
  return list;
}

Json memory_to_json(const MemoryUse& memory) {
  const auto value = [](const std::optional<Reading>& reading) {
    return reading ? Json(reading->value) : Json(nullptr);
  };
  return {{"total_pages", value(memory.total_pages)},
          {"free_pages", value(memory.free_pages)},
          {"page_bytes", memory.page_bytes},
          {"oom_kills", number_or_null(memory.oom_kills)}};
}

Json inputs_to_json(const std::vector<TriageReport::Input>& inputs) {
  Json list = Json::array();
  for (const TriageReport::Input& input : inputs) {
    list.push_back({{"path", utf8(input.path)},
                    {"bytes", input.size},
                    {"sha256", text_or_null(input.sha256)}});
  }
  return list;
}

Json log_to_json(const TriageReport& report) {
  return {{"records", report.log.records},
          {"first_seq", number_or_null(report.log.first_seq)},
          {"last_seq", number_or_null(report.log.last_seq)},
          {"last_ts_nsec", number_or_null(report.facts.last_record_nsec)}};
}

}  // namespace

void write_triage_json(const TriageReport& report, std::ostream& out) {
  const Json document = {
      {"schema", schema_to_json(triage_schema)},
      {"generator", report.generator},
      {"guest", report.guest ? guest_to_json(*report.guest) : Json(nullptr)},
      {"source", report.source ? source_to_json(*report.source) : Json(nullptr)},
      {"verdict", verdict_to_json(report)},
      {"findings", findings_to_json(report)},
      {"circumstances", sentences_to_json(report.verdict.circumstances)},
      {"now_nsec",
       report.facts.time.now_nsec == 0 ? Json(nullptr) : Json(report.facts.time.now_nsec)},
      {"vcpus", vcpus_to_json(report)},
      {"tasks", report.facts.tasks.size()},
      {"memory", memory_to_json(report.facts.memory)},
      {"log", log_to_json(report)},
      {"read_from", sentences_to_json(report.read_from)},
      {"not_read", sentences_to_json(report.not_read)},
      {"inputs", inputs_to_json(report.inputs)},
      {"warnings", sentences_to_json(report.warnings)}};
  out << dump(document, json_indent) << '\n';
}

void write_triage_lines(const TriageReport& report, std::ostream& out) {
  const auto write = [&](Json line) {
    line["schema"] = schema_to_json(triage_schema);
    line["release"] = report.guest ? Json(utf8(report.guest->release)) : Json(nullptr);
    line["checkpoint"] =
        report.source ? Json(utf8(checkpoint_name(*report.source))) : Json(nullptr);
    out << dump(line) << '\n';
  };
  if (report.verdict.findings.empty()) write({{"kind", clean}});
  for (const Finding& finding : report.verdict.findings) {
    write(to_json(report, finding, "cause"));
  }
}

}  // namespace photon_dmesg
