#include "report/formats/syslog.h"

#include <fmt/format.h>

#include <string>

#include "base/printable.h"
#include "report/formats/identifier.h"
#include "report/formats/syslog_names.h"
#include "report/time_format.h"

namespace photon_dmesg {
namespace {

// What a header field may hold: printable ASCII without blanks, of a limited length (RFC 5424,
// section 6).
std::string header_field(std::string_view text, std::size_t longest) {
  std::string field;
  for (const char byte : text.substr(0, longest)) field += byte > ' ' && byte < '\x7f' ? byte : '_';
  return field.empty() ? "-" : field;
}

// A value of structured data (RFC 5424, section 6.3.3).
std::string parameter(std::string_view text) {
  std::string value;
  for (const char byte : printable(text)) {
    if (byte == '"' || byte == '\\' || byte == ']') value += '\\';
    value += byte;
  }
  return value;
}

// Which of several guests it is. 32473 is the number of nobody (RFC 5612).
std::string guest_data(const ReportContext& context) {
  if (!context.is_one_of_several) return {};
  const std::string vm =
      context.guest.vm_name ? fmt::format(" vm=\"{}\"", parameter(*context.guest.vm_name)) : "";
  return fmt::format("[photon-dmesg@32473 checkpoint=\"{}\"{}]",
                     parameter(context.source.checkpoint), vm);
}

class SyslogWriter : public ReportWriter {
 public:
  SyslogWriter(const ReportContext& context, std::ostream& out)
      : context_(context),
        host_(header_field(context.guest.identity.hostname.value_or(""), 255)),
        guest_(guest_data(context)),
        out_(out) {}

  void write(const LogRecord& record, std::uint64_t /*previous_usec*/) override {
    if (record.state == LogRecord::State::TextLost) return;
    constexpr std::uint8_t user = 1;
    const bool has_facility = has_facility_name(record.facility);
    const unsigned pri = (has_facility ? record.facility : user) * 8U + record.level;
    const auto time = time_of_day(context_.guest, record.ts_nsec);
    const Identifier from = parse_identifier(record);
    out_ << fmt::format("<{}>1 {} {} {} {} - {}{} {}\n", pri, time ? utc_time(*time) : "-", host_,
                        header_field(from.name, 48), header_field(from.pid, 128), meta(record),
                        guest_, printable(from.message));
  }

 private:
  // RFC 5424, section 7.3: a number from 1 to 2^31 - 1, and hundredths of seconds since boot.
  static std::string meta(const LogRecord& record) {
    constexpr std::uint64_t largest = 2147483647;
    constexpr std::uint64_t nsec_per_hundredth = 10'000'000;
    return fmt::format(R"([meta sequenceId="{}" sysUpTime="{}"])", record.seq % largest + 1,
                       record.ts_nsec / nsec_per_hundredth);
  }

  const ReportContext& context_;
  std::string host_;
  std::string guest_;
  std::ostream& out_;
};

}  // namespace

std::unique_ptr<ReportWriter> make_syslog_writer(const ReportContext& context, std::ostream& out) {
  return std::make_unique<SyslogWriter>(context, out);
}

}  // namespace photon_dmesg
