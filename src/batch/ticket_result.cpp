#include "batch/ticket_result.h"

#include <fstream>
#include <iterator>

#include "report/formats/json_text.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

constexpr int schema_version = 1;

Json text(const std::string& bytes) {
  return to_utf8(bytes).text;
}

Json text_or_null(const std::string& bytes) {
  return bytes.empty() ? Json(nullptr) : text(bytes);
}

Json texts(const std::vector<std::string>& sentences) {
  Json list = Json::array();
  for (const std::string& sentence : sentences) list.push_back(text(sentence));
  return list;
}

template <typename Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json findings_of(const TicketResult& result) {
  if (!result.judged) return nullptr;
  Json list = Json::array();
  for (const TicketResult::Finding& finding : result.findings) {
    list.push_back(
        {{"kind", finding.kind}, {"grade", finding.grade}, {"headline", text(finding.headline)}});
  }
  return list;
}

Json document_of(const TicketResult& result) {
  return {{"schema", schema_version},
          {"ticket", result.name},
          {"files", texts(result.files)},
          {"generator", result.generator},
          {"status", result.status},
          {"error", text_or_null(result.error)},
          {"findings", findings_of(result)},
          {"release", text_or_null(result.release)},
          {"vm", text_or_null(result.vm)},
          {"host", text_or_null(result.host)},
          {"stopped", or_null(result.stopped)},
          {"records", result.records},
          {"last_message", text_or_null(result.last_message)},
          {"last_ts_nsec", or_null(result.last_nsec)},
          {"symbols", text_or_null(result.symbols)},
          {"warnings", texts(result.warnings)},
          {"seconds", result.seconds},
          {"key", result.key}};
}

std::string get_text(const Json& document, const char* member) {
  const auto found = document.find(member);
  return found != document.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t get_number(const Json& document, const char* member) {
  const auto found = document.find(member);
  return found != document.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::vector<std::string> get_texts(const Json& document, const char* member) {
  std::vector<std::string> list;
  const auto found = document.find(member);
  if (found == document.end() || !found->is_array()) return list;
  for (const Json& item : *found) {
    if (item.is_string()) list.push_back(item.get<std::string>());
  }
  return list;
}

// Each object of the array `member`.
template <typename Visit>
void for_each_object(const Json& document, const char* member, Visit visit) {
  const auto found = document.find(member);
  if (found == document.end() || !found->is_array()) return;
  for (const Json& item : *found) {
    if (item.is_object()) visit(item);
  }
}

void read_findings(const Json& document, TicketResult& result) {
  const auto found = document.find("findings");
  result.judged = found != document.end() && found->is_array();
  for_each_object(document, "findings", [&](const Json& item) {
    result.findings.push_back(
        {get_text(item, "kind"), get_text(item, "grade"), get_text(item, "headline")});
  });
}

TicketResult from_json(const Json& document) {
  TicketResult result;
  result.name = get_text(document, "ticket");
  result.files = get_texts(document, "files");
  result.generator = get_text(document, "generator");
  result.status = static_cast<int>(get_number(document, "status"));
  result.error = get_text(document, "error");
  result.warnings = get_texts(document, "warnings");
  result.key = get_text(document, "key");
  result.release = get_text(document, "release");
  result.vm = get_text(document, "vm");
  result.host = get_text(document, "host");
  result.symbols = get_text(document, "symbols");
  if (std::string stopped = get_text(document, "stopped"); !stopped.empty()) {
    result.stopped = std::move(stopped);
  }
  result.records = get_number(document, "records");
  result.last_message = get_text(document, "last_message");
  if (const auto nsec = document.find("last_ts_nsec");
      nsec != document.end() && nsec->is_number_unsigned()) {
    result.last_nsec = nsec->get<std::uint64_t>();
  }
  if (const auto seconds = document.find("seconds");
      seconds != document.end() && seconds->is_number()) {
    result.seconds = seconds->get<double>();
  }
  read_findings(document, result);
  for_each_object(document, "outputs", [&](const Json& item) {
    result.outputs.push_back(
        {get_text(item, "name"), get_number(item, "bytes"), get_text(item, "sha256")});
  });
  return result;
}

}  // namespace

bool is_output_name(std::string_view name) {
  return name.find('/') == std::string_view::npos &&
         (name.starts_with(log_name_begin) || name == triage_text_file || name == triage_json_file);
}

std::string to_json(const TicketResult& result) {
  constexpr int indent = 2;
  Json document = document_of(result);
  Json outputs = Json::array();
  for (const TicketResult::Output& output : result.outputs) {
    outputs.push_back({{"name", output.name}, {"bytes", output.bytes}, {"sha256", output.sha256}});
  }
  document["outputs"] = std::move(outputs);
  return dump(document, indent) + '\n';
}

std::string to_json_line(const TicketResult& result) {
  return dump(document_of(result)) + '\n';
}

std::optional<TicketResult> read_ticket_result(const fs::path& folder) {
  std::ifstream file(folder / ticket_file, std::ios::binary);
  const std::string content(std::istreambuf_iterator<char>(file), {});
  const Json document = Json::parse(content, nullptr, false);
  if (!document.is_object() || get_number(document, "schema") != schema_version) {
    return std::nullopt;
  }
  TicketResult result = from_json(document);
  return result.name.empty() ? std::nullopt : std::optional(std::move(result));
}

}  // namespace photon_dmesg
