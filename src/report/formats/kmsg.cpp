#include "report/formats/kmsg.h"

#include <fmt/format.h>

#include <string>

#include "base/printable.h"
#include "kernel/printk/log_losses.h"
#include "report/formats/json_text.h"
#include "report/formats/syslog_names.h"
#include "report/text_bytes.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t largest_record = 2048;  // PRINTK_MESSAGE_MAX, also dmesg's own

// Whether the text begins with what dmesg would take for an escaped byte.
bool begins_escape(std::string_view text) {
  return text.starts_with("\\x") && is_hex(at_or_zero(text, 2)) && is_hex(at_or_zero(text, 3));
}

// Escapes only what would be taken for the record's own syntax; as much of the text as that leaves
// room for in `most` bytes.
std::string escape_syntax(std::string_view text, std::size_t most) {
  std::string escaped;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char byte = text[at];
    const bool plain = byte != '\0' && byte != '\n' && !begins_escape(text.substr(at));
    const std::string next = plain ? std::string(1, byte) : hex_escape(byte);
    if (next.size() > most - escaped.size()) break;
    escaped += next;
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
    std::string body = kmsg_escape(record.text) + tail;
    if (head.size() + body.size() > largest_record) {
      body = shortest(record, largest_record - head.size(), tail);
    }
    out_ << head << body << '\0';
  }

  [[nodiscard]] std::vector<std::string> losses() const override {
    std::vector<std::string> sentences;
    cut_.report("cut to the 2048 bytes that dmesg -K takes, whole in --format json", sentences);
    return sentences;
  }

 private:
  // Text and dictionary in `most` bytes; what is cut is counted. The text goes before.
  std::string shortest(const LogRecord& record, std::size_t most, const std::string& tail) {
    constexpr std::size_t everything = std::string::npos;
    const std::string text = escape_syntax(record.text, everything);
    if (text.size() + tail.size() <= most) return text + tail;
    cut_.add(record.seq);
    return escape_syntax(record.text, most - 1) + '\n';
  }

  std::ostream& out_;
  LossCounter cut_;
};

}  // namespace

std::unique_ptr<ReportWriter> make_kmsg_writer(const ReportContext& context, std::ostream& out) {
  return std::make_unique<KmsgWriter>(context, out);
}

}  // namespace photon_dmesg
