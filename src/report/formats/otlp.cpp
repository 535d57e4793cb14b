#include "report/formats/otlp.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <string>

#include "report/formats/base64.h"
#include "report/formats/json_text.h"
#include "report/formats/syslog_names.h"

namespace photon_dmesg {
namespace {

// OpenTelemetry's log data model, appendix B: severity numbers of syslog's levels 0 to 7.
constexpr std::array severity_numbers = {21, 19, 18, 17, 13, 10, 9, 5};

Json text_attribute(std::string_view key, std::string_view value) {
  return {{"key", key}, {"value", {{"stringValue", to_utf8(value).text}}}};
}

// 64-bit integers are strings in protobuf's JSON. They have a sign there: what is larger, as a
// damaged record's numbers may be, is text.
Json number_attribute(std::string_view key, std::uint64_t value) {
  constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
  const char* const type = value <= largest ? "intValue" : "stringValue";
  return {{"key", key}, {"value", {{type, std::to_string(value)}}}};
}

Json bytes_attribute(std::string_view key, const std::string& value) {
  return {{"key", key}, {"value", {{"bytesValue", base64(value)}}}};
}

Json resource_attributes(const ReportContext& context) {
  Json attributes = Json::array();
  attributes.push_back(text_attribute("os.type", "linux"));
  if (context.knows_guest) {
    attributes.push_back(text_attribute("os.version", context.guest.release));
  }
  const auto put = [&](const char* key, const std::optional<std::string>& value) {
    if (value) attributes.push_back(text_attribute(key, *value));
  };
  put("host.name", context.guest.identity.hostname);
  put("linux.boot_id", context.guest.identity.boot_id);
  put("vmware.vm.name", context.guest.vm_name);
  if (context.knows_guest) {
    attributes.push_back(text_attribute("log.file.path", context.source.checkpoint));
  }
  return attributes;
}

class OtlpWriter : public ReportWriter {
 public:
  OtlpWriter(const ReportContext& context, std::ostream& out) : context_(context), out_(out) {
    const std::string_view generator = context.generator;
    const std::size_t blank = generator.find(' ');
    const Json scope = {{"name", generator.substr(0, blank)},
                        {"version", generator.substr(std::min(generator.size(), blank + 1))}};
    if (!context.is_one_of_several) out_ << otlp_frame.begin;
    out_ << fmt::format(R"({{"resource":{},"scopeLogs":[{{"scope":{},"logRecords":[)",
                        dump({{"attributes", resource_attributes(context)}}), dump(scope));
  }

  void write(const LogRecord& record, std::uint64_t /*previous_usec*/) override {
    Json json;
    put_time(json, record.ts_nsec);
    put_level(json, record.level);
    Json attributes = Json::array();
    attributes.push_back(number_attribute("linux.kmsg.seq", record.seq));
    attributes.push_back(number_attribute("linux.kmsg.ts_nsec", record.ts_nsec));
    attributes.push_back(number_attribute("syslog.facility.code", record.facility));
    if (record.caller) {
      attributes.push_back(text_attribute("linux.kmsg.caller", caller_name(*record.caller)));
    }
    if (record.state != LogRecord::State::Finished) {
      attributes.push_back(text_attribute("linux.kmsg.state", state_name(record.state)));
    }
    for (const auto& [key, value] : record.dictionary) {
      attributes.push_back(
          text_attribute("linux.kmsg.dict." + kmsg_escape(key), kmsg_escape(value)));
    }
    put_text(json, record.text, std::move(attributes));
  }

  void write(const UnloggedText& text) override {
    Json json;
    if (text.ts_nsec) put_time(json, *text.ts_nsec);
    if (text.level) put_level(json, *text.level);
    Json attributes = Json::array();
    attributes.push_back(text_attribute("linux.kmsg.state", "unlogged"));
    put_text(json, text.text, std::move(attributes));
  }

  // The host saw it then; when the guest had logged it, only the guest's clock tells.
  void write(const HostLine& line) override {
    Json json;
    if (line.ts_nsec) put_time(json, *line.ts_nsec);
    // A zone may put the first day of 1970 before that.
    if (line.host_nsec && *line.host_nsec >= 0) {
      json["observedTimeUnixNano"] = std::to_string(*line.host_nsec);
    }
    if (line.level) put_level(json, *line.level);
    Json attributes = Json::array();
    attributes.push_back(text_attribute("linux.kmsg.state", "host-log"));
    attributes.push_back(text_attribute("log.file.path", line.file));
    attributes.push_back(text_attribute("vmware.host_time", line.host_time));
    if (line.ts_nsec) attributes.push_back(number_attribute("linux.kmsg.ts_nsec", *line.ts_nsec));
    put_text(json, line.text, std::move(attributes));
  }

  void finish(const std::vector<std::string>& /*warnings*/) override {
    out_ << "\n]}]}";
    if (!context_.is_one_of_several) out_ << otlp_frame.end;
  }

 private:
  void put_time(Json& json, std::uint64_t ts_nsec) const {
    if (const auto time = time_of_day(context_.guest, ts_nsec)) {
      json["timeUnixNano"] = std::to_string(*time);
    }
  }

  static void put_level(Json& json, std::uint8_t level) {
    if (level < severity_numbers.size()) json["severityNumber"] = severity_numbers.at(level);
    json["severityText"] = level_name(level);
  }

  void put_text(Json& json, const std::string& text, Json attributes) {
    const ValidUtf8 message = to_utf8(text);
    json["body"] = {{"stringValue", message.text}};
    if (message.changed) attributes.push_back(bytes_attribute("log.record.original", text));
    json["attributes"] = std::move(attributes);
    out_ << (first_ ? "\n" : ",\n") << dump(json);
    first_ = false;
  }

  const ReportContext& context_;
  std::ostream& out_;
  bool first_ = true;
};

}  // namespace

std::unique_ptr<ReportWriter> make_otlp_writer(const ReportContext& context, std::ostream& out) {
  return std::make_unique<OtlpWriter>(context, out);
}

}  // namespace photon_dmesg
