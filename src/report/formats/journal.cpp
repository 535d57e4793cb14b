#include "report/formats/journal.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/printable.h"
#include "report/formats/identifier.h"
#include "report/formats/json_text.h"
#include "report/time_format.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t nsec_per_usec = 1000;

using Fields = std::vector<std::pair<std::string, std::string>>;

// What the kernel's dictionary calls something, and the field journald makes of it.
constexpr std::array dictionary_fields = {
    std::pair{std::string_view("SUBSYSTEM"), "_KERNEL_SUBSYSTEM"},
    std::pair{std::string_view("DEVICE"), "_KERNEL_DEVICE"},
};

// Fields of the same name for all records.
Fields common_fields(const ReportContext& context) {
  Fields fields = {{"_TRANSPORT", "kernel"}};
  if (const auto& boot_id = context.guest.identity.boot_id) {
    std::string digits = *boot_id;
    std::erase(digits, '-');
    fields.emplace_back("_BOOT_ID", digits);
  }
  if (const auto& host = context.guest.identity.hostname) fields.emplace_back("_HOSTNAME", *host);
  if (context.is_one_of_several) {
    fields.emplace_back("PHOTON_CHECKPOINT", context.source.checkpoint);
    if (context.guest.vm_name) fields.emplace_back("PHOTON_VM", *context.guest.vm_name);
  }
  return fields;
}

enum class Time { IfKnown, Always };

// Microseconds since 1970. Entries that need a time must have one that journals take
// (VALID_REALTIME() of systemd): from 1 on, and all that ClockHistory knows is small enough. A
// single entry without it, and systemd-journal-remote takes none that follows.
std::optional<std::int64_t> realtime(const LogRecord& record, const ReportContext& context,
                                     Time needs) {
  const auto& clock = context.guest.clock;
  if (needs == Time::Always && clock) {
    return std::max<std::int64_t>(1, whole_usec(clock->nearest_time_of_day(record.ts_nsec)));
  }
  const std::optional<std::int64_t> time = time_of_day(context.guest, record.ts_nsec);
  return time ? std::optional(whole_usec(*time)) : std::nullopt;
}

// The address fields come first, as the export format wants it.
Fields fields_of(const LogRecord& record, const ReportContext& context, const Fields& common,
                 Time needs) {
  const std::string usec = std::to_string(record.ts_nsec / nsec_per_usec);
  Fields fields;
  if (const auto time = realtime(record, context, needs)) {
    fields.emplace_back("__REALTIME_TIMESTAMP", std::to_string(*time));
  }
  fields.emplace_back("__MONOTONIC_TIMESTAMP", usec);
  fields.insert(fields.end(), common.begin(), common.end());
  fields.emplace_back("_SOURCE_MONOTONIC_TIMESTAMP", usec);
  for (const auto& [key, value] : record.dictionary) {
    for (const auto& [name, field] : dictionary_fields) {
      if (key == name) fields.emplace_back(field, value);
    }
  }
  const Identifier from = parse_identifier(record);
  fields.emplace_back("PRIORITY", std::to_string(record.level));
  fields.emplace_back("SYSLOG_FACILITY", std::to_string(record.facility));
  if (!from.name.empty()) fields.emplace_back("SYSLOG_IDENTIFIER", from.name);
  if (!from.pid.empty()) fields.emplace_back("SYSLOG_PID", from.pid);
  fields.emplace_back("MESSAGE", from.message);
  return fields;
}

// Whether journalctl shows a value as text: UTF-8 without control characters but tab and newline.
bool is_text(std::string_view value) {
  while (!value.empty()) {
    const std::size_t length = utf8_length(value);
    const auto first = static_cast<unsigned char>(value.front());
    const bool ascii_control =
        (first < ' ' && value.front() != '\t' && value.front() != '\n') || first == 0x7f;
    if (length == 0 || ascii_control) return false;
    if (first == 0xc2 && static_cast<unsigned char>(value[1]) < 0xa0) return false;
    value.remove_prefix(length);
  }
  return true;
}

// Whether readers of lines, also those that honour Unicode, see the value as one.
bool is_one_line(std::string_view value) {
  while (!value.empty()) {
    const std::size_t length = std::max<std::size_t>(1, utf8_length(value));
    if (value.front() != '\t' && is_control(value.substr(0, length))) return false;
    value.remove_prefix(length);
  }
  return true;
}

Json value_to_json(const std::string& value) {
  if (is_text(value)) return value;
  Json bytes = Json::array();
  for (const char byte : value) bytes.push_back(static_cast<unsigned char>(byte));
  return bytes;
}

class JournalWriter : public ReportWriter {
 public:
  JournalWriter(const ReportContext& context, std::ostream& out, Time needs)
      : context_(context), common_(common_fields(context)), out_(out), needs_(needs) {}

  void write(const LogRecord& record, std::uint64_t /*previous_usec*/) override {
    if (record.state == LogRecord::State::TextLost) return;
    write_fields(fields_of(record, context_, common_, needs_), out_);
  }

 private:
  virtual void write_fields(const Fields& fields, std::ostream& out) const = 0;

  const ReportContext& context_;
  Fields common_;
  std::ostream& out_;
  Time needs_;
};

class JournalJsonWriter : public JournalWriter {
  using JournalWriter::JournalWriter;

  void write_fields(const Fields& fields, std::ostream& out) const override {
    Json json;
    for (const auto& [name, value] : fields) json[name] = value_to_json(value);
    out << dump(json) << '\n';
  }
};

class JournalExportWriter : public JournalWriter {
  using JournalWriter::JournalWriter;

  // A value that is not one line of text has its length before it, in 8 bytes.
  void write_fields(const Fields& fields, std::ostream& out) const override {
    for (const auto& [name, value] : fields) {
      if (is_text(value) && is_one_line(value)) {
        out << name << '=' << value << '\n';
        continue;
      }
      out << name << '\n';
      constexpr unsigned bits = 64;
      constexpr unsigned bits_per_byte = 8;
      for (unsigned shift = 0; shift < bits; shift += bits_per_byte) {
        out << static_cast<char>(std::uint64_t{value.size()} >> shift);
      }
      out << value << '\n';
    }
    out << '\n';
  }
};

}  // namespace

std::unique_ptr<ReportWriter> make_journal_json_writer(const ReportContext& context,
                                                       std::ostream& out) {
  return std::make_unique<JournalJsonWriter>(context, out, Time::IfKnown);
}

std::unique_ptr<ReportWriter> make_journal_export_writer(const ReportContext& context,
                                                         std::ostream& out) {
  return std::make_unique<JournalExportWriter>(context, out, Time::Always);
}

}  // namespace photon_dmesg
