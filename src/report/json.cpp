#include "report/json.h"

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/printable.h"
#include "report/base64.h"
#include "report/syslog_names.h"

namespace photon_dmesg {
namespace {

using Json = nlohmann::ordered_json;

constexpr double microseconds_per_second = 1e6;

struct ValidUtf8 {
  std::string text;
  bool changed = false;
};

// Bytes that are not UTF-8 as "\xNN".
ValidUtf8 to_utf8(std::string_view bytes) {
  ValidUtf8 result;
  while (!bytes.empty()) {
    const std::size_t length = utf8_length(bytes);
    if (length > 0) {
      result.text += bytes.substr(0, length);
    } else {
      result.text += hex_escape(bytes.front());
      result.changed = true;
    }
    bytes.remove_prefix(std::max<std::size_t>(1, length));
  }
  return result;
}

// As /dev/kmsg prints dictionary values (kernel/printk/printk.c, msg_print_ext_body).
std::string kmsg_escape(std::string_view bytes) {
  std::string escaped;
  for (const char byte : bytes) {
    const bool plain = byte >= ' ' && byte < '\x7f' && byte != '\\';
    escaped += plain ? std::string(1, byte) : hex_escape(byte);
  }
  return escaped;
}

const char* state_name(LogRecord::State state) {
  switch (state) {
    case LogRecord::State::Finished:
      return "finished";
    case LogRecord::State::Partial:
      return "partial";
    case LogRecord::State::Reopened:
      return "reopened";
    case LogRecord::State::TextLost:
      return "text-lost";
    case LogRecord::State::Truncated:
      return "truncated";
    case LogRecord::State::Unindexed:
      return "unindexed";
  }
  return "unknown";
}

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

std::string caller_name(const LogCaller& caller) {
  return fmt::format("{}{}", caller.kind == LogCaller::Kind::Cpu ? 'C' : 'T', caller.id);
}

// The text as `msg`, and as `raw` if that had to change any byte of it.
void put_text(Json& json, const std::string& text) {
  const ValidUtf8 message = to_utf8(text);
  json["msg"] = message.text;
  if (message.changed) json["raw"] = base64(text);
}

Json record_to_json(const LogRecord& record, const LogPositions& positions) {
  Json json;
  json["pri"] = priority(record);
  // The double nearest to the microseconds that dmesg prints, so that both read the same.
  const std::uint64_t microseconds = record.ts_nsec / 1000;
  json["time"] = static_cast<double>(microseconds) / microseconds_per_second;
  if (record.caller) json["caller"] = caller_name(*record.caller);
  put_text(json, record.text);
  json["seq"] = record.seq;
  json["ts_nsec"] = record.ts_nsec;
  json["level"] = level_name(record.level);
  json["facility"] = facility_name(record.facility);
  for (const auto& [key, value] : record.dictionary) {
    json["dict"][kmsg_escape(key)] = kmsg_escape(value);
  }
  if (record.state != LogRecord::State::Finished) json["state"] = state_name(record.state);
  if (record.origin == LogRecord::Origin::StaticBuffer) json["source"] = "static-buffer";
  if (positions.cleared && record.seq < *positions.cleared) json["cleared"] = true;
  if (positions.console && record.seq >= *positions.console) json["unprinted"] = true;
  return json;
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

// JSON may hold DEL and the control characters U+0080 to U+009F as they are, and a terminal would
// obey them. Outside ASCII, dumped JSON has nothing but the text of strings.
std::string without_controls(std::string_view json) {
  std::string safe;
  safe.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto byte = static_cast<unsigned char>(json[i]);
    const auto next = static_cast<unsigned char>(i + 1 < json.size() ? json[i + 1] : 0);
    if (byte == 0x7f) {
      safe += "\\u007f";
    } else if (byte == 0xc2 && next < 0xa0) {
      safe += fmt::format("\\u{:04x}", next);
      ++i;
    } else {
      safe += json[i];
    }
  }
  return safe;
}

Json optional_number(const std::optional<std::uint64_t>& number) {
  return number ? Json(*number) : Json(nullptr);
}

Json optional_string(const std::optional<std::string>& text) {
  return text ? Json(to_utf8(*text).text) : Json(nullptr);
}

Json clock_to_json(const std::optional<GuestClock>& clock) {
  if (!clock) return nullptr;
  return {{"realtime_offset_nsec", clock->realtime_offset_nsec},
          {"boot", utc_time(clock->realtime_offset_nsec)},
          {"stopped", utc_time(clock->last_update_nsec)}};
}

Json guest_to_json(const GuestInfo& guest) {
  return {{"release", to_utf8(guest.release).text},
          {"banner", to_utf8(guest.banner).text},
          {"build_id", optional_string(guest.build_id)},
          {"kaslr_offset", fmt::format("{:#x}", guest.kaslr_offset)},
          {"phys_base", fmt::format("{:#x}", guest.phys_base)},
          {"vcpus", guest.vcpus},
          {"memory_bytes", guest.memory_bytes},
          {"clock", clock_to_json(guest.clock)}};
}

Json source_to_json(const SourceInfo& source) {
  return {{"checkpoint", to_utf8(source.checkpoint).text},
          {"memory", to_utf8(source.memory).text},
          {"iso", optional_string(source.iso)},
          {"package", optional_string(source.package)},
          {"vmlinux", optional_string(source.vmlinux)},
          {"system_map", optional_string(source.system_map)},
          {"symbols_in_memory", optional_string(source.symbols_in_memory)},
          {"profile", optional_string(source.profile)}};
}

}  // namespace

void write_json(const Report& report, std::ostream& out) {
  Json document;
  document["schema"] = {{"name", "photon-dmesg"}, {"version", json_schema_version}};
  document["guest"] = guest_to_json(report.guest);
  document["source"] = source_to_json(report.source);
  document["warnings"] = Json::array();
  for (const std::string& warning : report.warnings) {
    document["warnings"].push_back(to_utf8(warning).text);
  }
  document["dmesg"] = Json::array();
  for (const LogRecord& record : report.log.records) {
    document["dmesg"].push_back(record_to_json(record, report.log.positions));
  }
  document["positions"] = {{"cleared", optional_number(report.log.positions.cleared)},
                           {"console", optional_number(report.log.positions.console)}};
  document["unlogged"] = Json::array();
  for (const UnloggedText& unlogged : report.log.unlogged) {
    document["unlogged"].push_back(unlogged_to_json(unlogged));
  }
  constexpr int indent = 3;  // as dmesg -J
  out << without_controls(document.dump(indent)) << '\n';
}

void write_ndjson(const Report& report, std::ostream& out) {
  const std::string checkpoint =
      to_utf8(std::filesystem::path(report.source.checkpoint).filename().string()).text;
  const std::string release = to_utf8(report.guest.release).text;
  const auto write_line = [&](Json json) {
    json["release"] = release;
    json["checkpoint"] = checkpoint;
    json["schema"] = json_schema_version;
    out << without_controls(json.dump()) << '\n';
  };
  for (const LogRecord& record : report.log.records) {
    write_line(record_to_json(record, report.log.positions));
  }
  for (const UnloggedText& unlogged : report.log.unlogged) write_line(unlogged_to_json(unlogged));
}

}  // namespace photon_dmesg
