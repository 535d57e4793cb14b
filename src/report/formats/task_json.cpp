#include <fmt/format.h>

#include <string>
#include <string_view>

#include "report/formats/json_document.h"
#include "report/formats/json_text.h"
#include "report/formats/vocabulary.h"
#include "report/task_report.h"

namespace photon_dmesg {
namespace {

constexpr const char* traces_schema = "photon-dmesg-bt";
constexpr const char* tasks_schema = "photon-dmesg-ps";

std::string utf8(std::string_view text) {
  return to_utf8(text).text;
}

Json to_json(const SourceLine& place) {
  return {{"function", place.function.empty() ? Json(nullptr) : Json(utf8(place.function))},
          {"file", place.file.empty() ? Json(nullptr) : Json(utf8(place.file))},
          {"line", place.line == 0 ? Json(nullptr) : Json(place.line)}};
}

Json to_json(const TaskReport& report, const Frame& frame) {
  Json result = {{"address", hexadecimal(frame.address.value)},
                 {"kind", std::string(name_of(frame.kind))},
                 {"reliable", frame.is_reliable},
                 {"stack", std::string(name_of(frame.stack))},
                 {"symbol", nullptr},
                 {"offset", nullptr},
                 {"size", nullptr},
                 {"module", nullptr},
                 {"text", hexadecimal(frame.address.value)}};
  if (frame.place) {
    result["symbol"] = utf8(frame.place->symbol);
    result["offset"] = frame.place->offset;
    result["size"] = frame.place->size;
    if (!frame.place->module.empty()) result["module"] = utf8(frame.place->module);
    result["text"] = utf8(describe(*frame.place));
  }
  if (report.lines) {
    result["lines"] = Json::array();
    for (const SourceLine& place : lines_of(report, frame)) {
      result["lines"].push_back(to_json(place));
    }
  }
  return result;
}

Json to_json(const TaskReport& report, const Trace& trace) {
  Json frames = Json::array();
  for (const Frame& frame : trace.frames) {
    frames.push_back(to_json(report, frame));
  }
  return {{"method", std::string(name_of(trace.method))},
          {"complete", trace.is_complete()},
          {"end", std::string(name_of(trace.end))},
          {"why", trace.why.empty() ? Json(nullptr) : Json(utf8(trace.why))},
          {"user_address", trace.user_ip ? Json(hexadecimal(trace.user_ip->value)) : Json(nullptr)},
          {"frames", std::move(frames)}};
}

Json brief(const Task& task) {
  return {{"pid", task.pid}, {"comm", utf8(task.comm)}};
}

Json to_json(const TaskReport& report, const Task& task) {
  return {{"pid", task.pid},
          {"tgid", task.tgid},
          {"ppid", number_or_null(task.ppid)},
          {"comm", utf8(task.comm)},
          {"state", std::string(1, task.state)},
          {"cpu", number_or_null(task.cpu)},
          {"on_cpu", task.on_cpu},
          {"kernel_thread", task.kernel_thread ? Json(*task.kernel_thread) : Json(nullptr)},
          {"address", hexadecimal(task.address.value)},
          {"start_nsec", number_or_null(task.start_nsec)},
          {"last_ran_nsec", number_or_null(task.last_ran_nsec)},
          {"queued_nsec", number_or_null(task.queued_nsec)},
          {"since_it_ran_nsec", number_or_null(nsec_since_it_ran(report, task))}};
}

Json to_json(const SpinLock& lock) {
  return {{"address", hexadecimal(lock.address.value)},
          {"name", text_or_null(lock.name)},
          {"word", lock.word}};
}

Json to_json(const TaskReport& report, const VcpuActivity& cpu) {
  return {{"vcpu", cpu.vcpu},
          {"cpu", number_or_null(cpu.cpu)},
          {"mode", text_or_null(mode_of(cpu))},
          {"task", cpu.task ? brief(*cpu.task) : Json(nullptr)},
          {"task_by", cpu.witnesses},
          {"spins_on", cpu.spins_on ? to_json(*cpu.spins_on) : Json(nullptr)},
          {"trace", to_json(report, cpu.trace)}};
}

Json to_json(const Waiting& waiting) {
  Json result = {{"kind", std::string(name_of(waiting.wait.kind))},
                 {"address", hexadecimal(waiting.wait.object.value)},
                 {"name", text_or_null(waiting.wait.name)},
                 {"owner", waiting.owner ? brief(*waiting.owner) : Json(nullptr)},
                 {"owner_is_certain", waiting.wait.owner_is_certain},
                 {"cycle", nullptr}};
  if (!waiting.cycle.empty()) {
    result["cycle"] = Json::array();
    for (const Task& task : waiting.cycle) result["cycle"].push_back(task.pid);
  }
  return result;
}

Json to_json(const TaskReport& report, const TaskReport::Row& row) {
  Json result = to_json(report, row.task);
  result["waits_for"] = row.waiting ? to_json(*row.waiting) : Json(nullptr);
  if (row.trace) result["trace"] = to_json(report, *row.trace);
  return result;
}

void write_head(JsonDocument& document, const TaskReport& report, const char* schema) {
  document.member("schema", schema_to_json(schema));
  document.member("guest", guest_to_json(report.guest));
  document.member("source", source_to_json(report.source));
  document.member("now_nsec", number_or_null(report.now_nsec));
}

void write_tail(JsonDocument& document, const TaskReport& report) {
  document.begin_array("tasks");
  for (const TaskReport::Row& row : report.tasks) document.element(to_json(report, row));
  document.end_array();
  document.member("warnings", sentences_to_json(report.warnings));
  document.end();
}

}  // namespace

void write_traces_json(const TaskReport& report, std::ostream& out) {
  JsonDocument document(out);
  write_head(document, report, traces_schema);
  document.begin_array("vcpus");
  for (const VcpuActivity& cpu : report.vcpus) document.element(to_json(report, cpu));
  document.end_array();
  write_tail(document, report);
}

void write_tasks_json(const TaskReport& report, std::ostream& out) {
  JsonDocument document(out);
  write_head(document, report, tasks_schema);
  write_tail(document, report);
}

// Each line says of which guest it is: lines of many are put together.
void write_task_lines(const TaskReport& report, std::ostream& out) {
  const auto write = [&](const Json& members) {
    Json line = {{"schema", json_schema_version},
                 {"release", utf8(report.guest.release)},
                 {"hostname", text_or_null(report.guest.identity.hostname)},
                 {"checkpoint", utf8(checkpoint_name(report.source))}};
    line.update(members);
    out << dump(line) << '\n';
  };
  for (const VcpuActivity& cpu : report.vcpus) write(to_json(report, cpu));
  for (const TaskReport::Row& row : report.tasks) write(to_json(report, row));
}

}  // namespace photon_dmesg
