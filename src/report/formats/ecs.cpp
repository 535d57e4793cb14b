#include "report/formats/ecs.h"

#include <string>

#include "report/formats/base64.h"
#include "report/formats/identifier.h"
#include "report/formats/json_text.h"
#include "report/formats/syslog_names.h"
#include "report/time_format.h"

namespace photon_dmesg {
namespace {

constexpr const char* ecs_version = "8.11.0";

class EcsWriter : public ReportWriter {
 public:
  EcsWriter(const ReportContext& context, std::ostream& out) : context_(context), out_(out) {
    common_["ecs"] = {{"version", ecs_version}};
    Json host = {{"os", {{"type", "linux"}}}};
    if (context.knows_guest) host["os"]["kernel"] = to_utf8(context.guest.release).text;
    if (context.guest.identity.hostname) {
      host["hostname"] = to_utf8(*context.guest.identity.hostname).text;
    }
    if (context.guest.vm_name) host["name"] = to_utf8(*context.guest.vm_name).text;
    if (context.guest.identity.boot_id) host["boot"] = {{"id", *context.guest.identity.boot_id}};
    common_["host"] = std::move(host);
    common_["observer"] = {{"product", "photon-dmesg"}};
  }

  void write(const LogRecord& record, std::uint64_t /*previous_usec*/) override {
    Json json;
    put_time(json, record.ts_nsec);
    put_text(json, record.text);
    json["log"] = {
        {"level", level_name(record.level)},
        {"syslog",
         {{"priority", priority(record)},
          {"severity", {{"code", record.level}, {"name", level_name(record.level)}}},
          {"facility", {{"code", record.facility}, {"name", facility_name(record.facility)}}}}},
        {"file", {{"path", to_utf8(context_.source.checkpoint).text}}}};
    if (const auto from = parse_identifier(record).name; !from.empty()) {
      json["log"]["syslog"]["appname"] = to_utf8(from).text;
    }
    json["event"] = {{"kind", "event"}, {"dataset", "photon_dmesg.log"}, {"sequence", record.seq}};
    if (record.caller && record.caller->kind == LogCaller::Kind::Task) {
      json["process"] = {{"thread", {{"id", record.caller->id}}}};
    }
    json["labels"]["ts_nsec"] = std::to_string(record.ts_nsec);
    if (record.state != LogRecord::State::Finished) {
      json["labels"]["state"] = state_name(record.state);
    }
    for (const auto& [key, value] : record.dictionary) {
      json["labels"][kmsg_escape(key)] = kmsg_escape(value);
    }
    line(std::move(json));
  }

  void write(const UnloggedText& text) override {
    Json json;
    if (text.ts_nsec) put_time(json, *text.ts_nsec);
    put_text(json, text.text);
    if (text.level) json["log"]["level"] = level_name(*text.level);
    if (context_.is_one_of_several) {
      json["log"]["file"] = {{"path", to_utf8(context_.source.checkpoint).text}};
    }
    json["event"] = {{"kind", "event"}, {"dataset", "photon_dmesg.unlogged"}};
    line(std::move(json));
  }

  void write(const HostLine& line) override {
    Json json;
    if (line.host_nsec) json["@timestamp"] = utc_time(*line.host_nsec);
    put_text(json, line.text);
    json["log"] = {{"file", {{"path", to_utf8(line.file).text}}}};
    if (line.level) json["log"]["level"] = level_name(*line.level);
    json["event"] = {{"kind", "event"}, {"dataset", "photon_dmesg.host_log"}};
    json["labels"]["host_time"] = to_utf8(line.host_time).text;
    if (line.ts_nsec) json["labels"]["ts_nsec"] = std::to_string(*line.ts_nsec);
    if (context_.is_one_of_several) {
      json["labels"]["checkpoint"] = to_utf8(context_.source.checkpoint).text;
    }
    this->line(std::move(json));
  }

 private:
  void put_time(Json& json, std::uint64_t ts_nsec) const {
    if (const auto time = time_of_day(context_.guest, ts_nsec)) {
      json["@timestamp"] = utc_time(*time);
    }
  }

  static void put_text(Json& json, const std::string& text) {
    const ValidUtf8 message = to_utf8(text);
    json["message"] = message.text;
    if (message.changed) json["labels"]["raw"] = base64(text);
  }

  void line(Json json) {
    json.update(common_);
    out_ << dump(json) << '\n';
  }

  const ReportContext& context_;
  std::ostream& out_;
  Json common_;
};

}  // namespace

std::unique_ptr<ReportWriter> make_ecs_writer(const ReportContext& context, std::ostream& out) {
  return std::make_unique<EcsWriter>(context, out);
}

}  // namespace photon_dmesg
