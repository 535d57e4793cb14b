#include "triage/log/text_log.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "triage/log/line_prefix.h"
#include "triage/log/outer_prefix.h"
#include "triage/log/text_scan.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t longest_line = std::size_t{64} << 10;

// The lines of a stream, without their ends, cut to what is kept.
class LineReader {
 public:
  explicit LineReader(ByteStream& input) : input_(input) {}

  // False at the end of the input.
  bool read(std::string& line) {
    line.clear();
    bool any = false;
    while (fill()) {
      any = true;
      const std::size_t end = rest_.find('\n');
      line.append(rest_.substr(0, std::min(end, longest_line - line.size())));
      if (end != std::string_view::npos) {
        rest_.remove_prefix(end + 1);
        return true;
      }
      rest_ = {};
    }
    return any;
  }

 private:
  bool fill() {
    if (!rest_.empty()) return true;
    const std::span<const std::byte> bytes = input_.next();
    rest_ = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    return !rest_.empty();
  }

  ByteStream& input_;
  std::string_view rest_;
};

// Takes what steers a terminal away: "\e[31m", zeros of a serial line, carriage returns.
void remove_control(std::string& line) {
  std::string kept;
  kept.reserve(line.size());
  for (std::size_t i = 0; i < line.size(); ++i) {
    constexpr char escape = 0x1b;
    if (line[i] == escape && i + 1 < line.size() && line[i + 1] == '[') {
      constexpr std::string_view parameters = "0123456789;?";
      i += 2;
      while (i < line.size() && parameters.find(line[i]) != std::string_view::npos) ++i;
    } else if (line[i] != '\0' && line[i] != '\r' && line[i] != escape) {
      kept += line[i];
    }
  }
  line = std::move(kept);
}

// Takes off what journalctl -o short-monotonic puts between time and text, "host kernel: " or
// "host ", if the kernel or systemd wrote it: other tags can't be told from the kernel's own words.
std::optional<std::uint8_t> take_journal_prefix(std::string_view& text) {
  const std::string_view host = until(text, " :[");
  constexpr std::string_view kernel = " kernel: ";
  constexpr std::uint8_t daemon = 3;  // of syslog(3)
  const std::string_view rest = text.substr(host.size());
  if (rest.starts_with(kernel)) {
    text = rest.substr(kernel.size());
    return 0;
  }
  if (!rest.starts_with(" systemd[") && !rest.starts_with(" systemd-")) return std::nullopt;
  text = rest.substr(1);
  return daemon;
}

// The time of what the kernel printed behind what others had written. In a log without times it is
// a text that somebody quotes.
std::optional<std::uint64_t> inner_time(std::string_view text) {
  const std::size_t inner = find_inner_line(text);
  if (inner == std::string_view::npos) return std::nullopt;
  text.remove_prefix(inner);
  return take_line_prefix(text).ts_nsec;
}

// A log's lines become records.
class LineParser {
 public:
  LogRecord parse(std::string_view text) {
    LogRecord record;
    std::optional<std::uint8_t> facility = outer_.take(text);
    const std::string_view whole = text;
    const LinePrefix prefix = take_line_prefix(text);
    signs_.is_of_kernel |= facility == 0 || text.size() < whole.size();
    if (prefix.ts_nsec && !facility) facility = take_journal_prefix(text);
    signs_.has_times |= prefix.ts_nsec.has_value();
    const auto time = prefix.ts_nsec || !signs_.has_times ? prefix.ts_nsec : inner_time(text);
    newest_nsec_ = time.value_or(newest_nsec_);
    record.ts_nsec = newest_nsec_;
    record.caller = prefix.caller;
    constexpr std::uint8_t info = 6;
    record.level = prefix.level.value_or(info);
    record.facility = prefix.facility.value_or(facility.value_or(0));
    record.text = text;
    return record;
  }

  [[nodiscard]] const TextLogSigns& signs() const { return signs_; }

 private:
  OuterPrefix outer_;
  TextLogSigns signs_;
  std::uint64_t newest_nsec_ = 0;
};

}  // namespace

TextLogSigns read_text_log(ByteStream& input, const RecordSink& sink) {
  LineReader lines(input);
  LineParser parser;
  std::string line;
  for (std::uint64_t number = 1; lines.read(line); ++number) {
    remove_control(line);
    LogRecord record = parser.parse(line);
    record.seq = number;
    if (!sink(std::move(record))) break;
  }
  return parser.signs();
}

}  // namespace photon_dmesg
