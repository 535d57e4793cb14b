#include "report/formats/kmsg.h"

#include <fmt/format.h>

#include <string>

#include "base/printable.h"
#include "report/formats/json_text.h"
#include "report/formats/syslog_names.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t largest_record = 2048;  // PRINTK_MESSAGE_MAX, also dmesg's own

// Only what would be taken for the record's own syntax.
std::string escape_syntax(std::string_view text) {
  std::string escaped;
  for (const char byte : text) {
    const bool plain = byte != '\0' && byte != '\n' && byte != '\\';
    escaped += plain ? std::string(1, byte) : hex_escape(byte);
  }
  return escaped;
}

class KmsgWriter : public ReportWriter {
 public:
  KmsgWriter(const ReportContext& /*context*/, std::ostream& out) : out_(out) {}

  void write(const LogRecord& record, std::uint64_t /*previous_usec*/) override {
    if (record.state == LogRecord::State::TextLost) return;
    constexpr std::uint64_t nsec_per_usec = 1000;
    const std::string head =
        fmt::format("{},{},{},{};", priority(record), record.seq, record.ts_nsec / nsec_per_usec,
                    record.continues ? 'c' : '-');
    std::string tail = "\n";
    for (const auto& [key, value] : record.dictionary) {
      tail += fmt::format(" {}={}\n", kmsg_escape(key), kmsg_escape(value));
    }
    std::string text = kmsg_escape(record.text);
    if (head.size() + text.size() + tail.size() > largest_record) {
      text = escape_syntax(record.text);
    }
    out_ << head << text << tail << '\0';
  }

 private:
  std::ostream& out_;
};

}  // namespace

std::unique_ptr<ReportWriter> make_kmsg_writer(const ReportContext& context, std::ostream& out) {
  return std::make_unique<KmsgWriter>(context, out);
}

}  // namespace photon_dmesg
