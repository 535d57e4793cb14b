#include "report/formats/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "report/formats/base64.h"
#include "report/formats/json_document.h"
#include "report/formats/json_object.h"
#include "report/formats/json_text.h"
#include "report/formats/syslog_names.h"
#include "report/formats/vocabulary.h"
#include "report/time_format.h"

namespace photon_dmesg {
namespace {

constexpr double microseconds_per_second = 1e6;

const char* source_name(UnloggedText::Source source) {
  switch (source) {
    case UnloggedText::Source::Reserved:
      return "reserved";
    case UnloggedText::Source::Cont:
      return "cont";
    case UnloggedText::Source::TextBuffer:
      return "textbuf";
    case UnloggedText::Source::SafeBuffer:
      return "safe_print_seq";
    case UnloggedText::Source::NmiBuffer:
      return "nmi_print_seq";
  }
  return "unknown";
}

// The text as `msg`, and as `raw` if that had to change any byte of it.
void put_text(Json& json, const std::string& text) {
  const ValidUtf8 message = to_utf8(text);
  json["msg"] = message.text;
  if (message.changed) json["raw"] = base64(text);
}

// Prints what a record has, of which there are millions, into `json`, whose members stand `indent`
// from the left (-1: on one line).
void add_record(JsonObject& json, const LogRecord& record, const LogPositions& positions,
                int indent) {
  json.add("pri", std::uint64_t{priority(record)});
  // The double nearest to the microseconds that dmesg prints, so that both read the same.
  const std::uint64_t microseconds = record.ts_nsec / 1000;
  json.add("time", static_cast<double>(microseconds) / microseconds_per_second);
  if (record.caller) json.add_plain("caller", caller_name(*record.caller));
  if (json.add_text("msg", record.text)) json.add_plain("raw", base64(record.text));
  json.add("seq", record.seq);
  json.add("ts_nsec", record.ts_nsec);
  json.add_plain("level", level_name(record.level));
  json.add_plain("facility", facility_name(record.facility));
  if (!record.dictionary.empty()) {
    Json dictionary;
    for (const auto& [key, value] : record.dictionary) {
      dictionary[kmsg_escape(key)] = kmsg_escape(value);
    }
    json.add_printed("dict", indented(dump(dictionary, indent < 0 ? indent : json_indent),
                                      static_cast<std::size_t>(std::max(indent, 0))));
  }
  if (record.state != LogRecord::State::Finished) json.add_plain("state", state_name(record.state));
  if (record.origin == LogRecord::Origin::StaticBuffer) json.add_plain("source", "static-buffer");
  if (positions.cleared && record.seq < *positions.cleared) json.add("cleared", true);
  if (positions.console && record.seq >= *positions.console) json.add("unprinted", true);
}

Json unlogged_to_json(const UnloggedText& unlogged) {
  Json json;
  json["source"] = source_name(unlogged.source);
  if (unlogged.source == UnloggedText::Source::Reserved) json["state"] = "reserved";
  if (unlogged.cpu) json["cpu"] = *unlogged.cpu;
  put_text(json, unlogged.text);
  if (unlogged.seq) json["seq"] = *unlogged.seq;
  if (unlogged.ts_nsec) json["ts_nsec"] = *unlogged.ts_nsec;
  if (unlogged.level) json["level"] = level_name(*unlogged.level);
  return json;
}

Json host_line_to_json(const HostLine& line) {
  Json json;
  json["source"] = host_log_name;
  json["file"] = to_utf8(line.file).text;
  json["host_time"] = to_utf8(line.host_time).text;
  json["thread"] = to_utf8(line.thread).text;
  put_text(json, line.text);
  if (line.caller) json["caller"] = caller_name(*line.caller);
  if (line.ts_nsec) json["ts_nsec"] = *line.ts_nsec;
  if (line.level) json["level"] = level_name(*line.level);
  if (line.facility) json["facility"] = facility_name(*line.facility);
  return json;
}

class JsonWriter : public ReportWriter {
 public:
  JsonWriter(const ReportContext& context, std::ostream& out)
      : positions_(context.positions), out_(out), document_(out) {
    document_.member("schema", schema_to_json("photon-dmesg"));
    document_.member("guest", context.knows_guest ? guest_to_json(context.guest) : Json());
    document_.member("source", context.knows_guest ? source_to_json(context.source) : Json());
    document_.member("positions", {{"cleared", number_or_null(positions_.cleared)},
                                   {"console", number_or_null(positions_.console)}});
    document_.begin_array("dmesg");
  }

  void write(const LogRecord& record, std::uint64_t /*previous_usec*/) override {
    buffer_.assign(document_.begin_element());
    JsonObject json(buffer_, 3 * json_indent);
    add_record(json, record, positions_, 3 * json_indent);
    json.end(2 * json_indent);
    out_ << buffer_;
  }

  void write(const UnloggedText& text) override {
    begin_behind("unlogged", has_unlogged_);
    document_.element(unlogged_to_json(text));
  }

  void write(const HostLine& line) override {
    if (!has_unlogged_) begin_behind("unlogged", has_unlogged_);
    begin_behind("host_log", has_host_log_);
    document_.element(host_line_to_json(line));
  }

  void finish(const std::vector<std::string>& warnings) override {
    document_.end_array();
    if (!has_unlogged_) document_.member("unlogged", Json::array());
    document_.member("warnings", sentences_to_json(warnings));
    document_.end();
  }

 private:
  // Begins an array behind another, unless it has begun.
  void begin_behind(std::string_view key, bool& has_begun) {
    if (has_begun) return;
    document_.end_array();
    document_.begin_array(key);
    has_begun = true;
  }

  LogPositions positions_;
  std::ostream& out_;
  JsonDocument document_;
  std::string buffer_;  // for a record
  bool has_unlogged_ = false;
  bool has_host_log_ = false;
};

class NdjsonWriter : public ReportWriter {
 public:
  NdjsonWriter(const ReportContext& context, std::ostream& out) : context_(context), out_(out) {
    const GuestInfo& guest = context.guest;
    const auto known = [&](const std::string& text) {
      return context.knows_guest ? Json(to_utf8(text).text) : Json();
    };
    common_["release"] = known(guest.release);
    common_["boot_time"] = boot_to_json(guest);
    common_["vm"] = text_or_null(guest.vm_name);
    common_["checkpoint"] = known(checkpoint_name(context.source));
    if (context.is_one_of_several) {
      common_["guest"] = to_utf8(context.source.checkpoint).text;
      common_["hostname"] = text_or_null(guest.identity.hostname);
    }
    common_["schema"] = json_schema_version;
    end_ = dump(common_).substr(1) + '\n';
  }

  void write(const LogRecord& record, std::uint64_t /*previous_usec*/) override {
    buffer_.clear();
    JsonObject json(buffer_, -1);
    add_record(json, record, context_.positions, -1);
    if (const auto time = time_of(record.ts_nsec)) {
      json.add_plain("timestamp", times_.text(*time));
    } else {
      json.add_printed("timestamp", "null");
    }
    buffer_ += ',';
    buffer_ += end_;
    out_ << buffer_;
  }

  void write(const UnloggedText& text) override {
    line(unlogged_to_json(text), time_of(text.ts_nsec));
  }

  // When the host had it: the guest's own clock need not be known.
  void write(const HostLine& line) override { this->line(host_line_to_json(line), line.host_nsec); }

 private:
  [[nodiscard]] std::optional<std::int64_t> time_of(std::optional<std::uint64_t> ts_nsec) const {
    return ts_nsec ? time_of_day(context_.guest, *ts_nsec) : std::nullopt;
  }

  void line(Json json, std::optional<std::int64_t> time) {
    json["timestamp"] = time ? Json(utc_time(*time)) : Json();
    json.update(common_);
    out_ << dump(json) << '\n';
  }

  const ReportContext& context_;
  std::ostream& out_;
  Json common_;
  std::string end_;     // of each line: the same, as it is printed
  std::string buffer_;  // for a record's
  UtcTimes times_;
};

}  // namespace

std::unique_ptr<ReportWriter> make_json_writer(const ReportContext& context, std::ostream& out) {
  return std::make_unique<JsonWriter>(context, out);
}

std::unique_ptr<ReportWriter> make_ndjson_writer(const ReportContext& context, std::ostream& out) {
  return std::make_unique<NdjsonWriter>(context, out);
}

}  // namespace photon_dmesg
