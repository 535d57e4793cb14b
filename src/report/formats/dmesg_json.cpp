#include "report/formats/dmesg_json.h"

#include <fmt/format.h>

#include "base/printable.h"
#include "report/formats/json_text.h"
#include "report/formats/syslog_names.h"

namespace photon_dmesg {
namespace {

// The escapes that dmesg's JSON writer (lib/jsonwrt.c) uses.
std::string escape_ascii(char byte) {
  switch (byte) {
    case '"':
    case '\\':
      return {'\\', byte};
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      break;
  }
  return byte >= 0 && byte < ' ' ? fmt::format("\\u{:04x}", static_cast<unsigned>(byte))
                                 : std::string(1, byte);
}

std::string quote(std::string_view text) {
  std::string quoted = "\"";
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      quoted += '\\' + hex_escape(text.front());
    } else if (length == 1) {
      quoted += escape_ascii(text.front());
    } else if (is_control(text.substr(0, length))) {
      quoted += json_escape(text.substr(0, length));
    } else {
      quoted += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(1, length));
  }
  return quoted + '"';
}

class DmesgJsonWriter : public ReportWriter {
 public:
  DmesgJsonWriter(const ReportContext& context, std::ostream& out)
      : decode_(context.style.decode), out_(out) {
    out_ << "{\n   \"dmesg\": [";
  }

  void write(const LogRecord& record, std::uint64_t /*previous_usec*/) override {
    if (record.text.empty()) return;
    constexpr std::uint64_t nsec_per_usec = 1000;
    constexpr std::uint64_t second = 1'000'000;
    const std::uint64_t usec = record.ts_nsec / nsec_per_usec;
    out_ << (first_ ? "\n      {\n" : ",{\n");
    first_ = false;
    if (has_facility_name(record.facility)) out_ << severity(record);
    out_ << fmt::format("         \"time\": {:5}.{:06},\n         \"msg\": {}\n      }}",
                        usec / second, usec % second, quote(record.text));
  }

  void finish(const std::vector<std::string>& /*warnings*/) override { out_ << "\n   ]\n}\n"; }

 private:
  [[nodiscard]] std::string severity(const LogRecord& record) const {
    if (!decode_) return fmt::format("         \"pri\": {},\n", priority(record));
    return fmt::format("         \"fac\": \"{}\",\n         \"pri\": \"{}\",\n",
                       facility_name(record.facility), level_name(record.level));
  }

  bool decode_;
  std::ostream& out_;
  bool first_ = true;
};

}  // namespace

std::unique_ptr<ReportWriter> make_dmesg_json_writer(const ReportContext& context,
                                                     std::ostream& out) {
  return std::make_unique<DmesgJsonWriter>(context, out);
}

}  // namespace photon_dmesg
