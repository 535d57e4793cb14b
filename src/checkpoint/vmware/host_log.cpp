#include "checkpoint/vmware/host_log.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <iterator>
#include <string_view>

#include "base/error.h"

namespace photon_dmesg {
namespace {

// A busy VM's is a few megabytes; the newest lines are at its end.
constexpr std::uint64_t most_bytes = 64 * 1024 * 1024;

std::string read_end(const ByteSource& file) {
  const std::uint64_t begin = file.size() - std::min(file.size(), most_bytes);
  std::string text(static_cast<std::size_t>(file.size() - begin), '\0');
  file.read_at(begin, std::as_writable_bytes(std::span(text)));
  return text;
}

void for_each_line(std::string_view text, const std::function<void(std::string_view)>& visit) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    visit(line);
  }
}

// "2026-11-25T02:10:01"
bool begins_with_time(std::string_view line) {
  constexpr std::string_view form = "0000-00-00T00:00:00";
  return line.size() > form.size() &&
         std::equal(form.begin(), form.end(), line.begin(), [](char wanted, char found) {
           return wanted == '0' ? found >= '0' && found <= '9' : found == wanted;
         });
}

// The number that `text` begins with, in exactly that many digits, which are taken off it.
std::optional<int> take_digits(std::string_view& text, std::size_t digits) {
  int number = 0;
  if (text.size() < digits) return std::nullopt;
  for (const char digit : text.substr(0, digits)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    constexpr int ten = 10;
    number = number * ten + (digit - '0');
  }
  text.remove_prefix(digits);
  return number;
}

bool take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

// "Z", "-07:00", "+0200": how far local time is ahead of UTC.
std::optional<std::chrono::minutes> parse_zone(std::string_view text) {
  using namespace std::chrono;
  if (text == "Z") return minutes(0);
  const bool is_behind = text.starts_with('-');
  if (!take(text, '-') && !take(text, '+')) return std::nullopt;
  const std::optional<int> hour = take_digits(text, 2);
  (void)take(text, ':');
  const std::optional<int> minute = take_digits(text, 2);
  if (!hour || !minute || !text.empty()) return std::nullopt;
  const minutes ahead = hours(*hour) + minutes(*minute);
  return is_behind ? -ahead : ahead;
}

// ".123": of a second.
std::chrono::nanoseconds take_fraction(std::string_view& text) {
  std::chrono::nanoseconds fraction(0);
  if (!take(text, '.')) return fraction;
  constexpr int ten = 10;
  for (std::int64_t place = std::nano::den / ten; place > 0; place /= ten) {
    const std::optional<int> digit = take_digits(text, 1);
    if (!digit) break;
    fraction += std::chrono::nanoseconds(*digit * place);
  }
  return fraction;
}

// Of a time that begins_with_time() says is one.
std::optional<std::int64_t> parse_time(std::string_view text) {
  using namespace std::chrono;
  const auto number = [&text](std::size_t digits, std::size_t separator) {
    const std::optional<int> found = take_digits(text, digits);
    text.remove_prefix(separator);
    return found.value_or(0);
  };
  constexpr std::size_t year_digits = 4;
  const year in_year(number(year_digits, 1));
  const month in_month(static_cast<unsigned>(number(2, 1)));
  const day on_day(static_cast<unsigned>(number(2, 1)));
  const hours hour(number(2, 1));
  const minutes minute(number(2, 1));
  const seconds second(number(2, 0));
  const nanoseconds fraction = take_fraction(text);
  const std::optional<minutes> zone = parse_zone(text);
  const year_month_day date(in_year, in_month, on_day);
  // VMware's products have no older times, and nanoseconds since 1970 reach no later ones.
  constexpr year first_year(1970);
  constexpr year last_year(2261);
  if (!zone || !date.ok() || in_year < first_year || in_year > last_year) return std::nullopt;
  const nanoseconds of_day = hour + minute + second + fraction - *zone;
  return (sys_days(date).time_since_epoch() + of_day).count();
}

constexpr std::string_view mark_of_guest = "Guest: ";

// What stands before a line's text, and the text.
struct Line {
  std::string_view time;
  std::string_view thread;
  bool goes_on = false;        // with the text of the line before it
  std::string_view operation;  // of the host's, that the thread worked for, or "-"; with a space
  std::string_view text;       // of a line that goes on, behind the operation if one is told
};

// Takes off `text` what stands before `end`, and `end`; all of it if that is not there.
std::string_view take_until(std::string_view& text, std::string_view end) {
  const std::string_view found = text.substr(0, text.find(end));
  text.remove_prefix(std::min(text.size(), found.size() + end.size()));
  return found;
}

// Takes off a line's text what new hosts may write before "Guest: ": "- " where the thread works
// for no operation, else the operation's ID, which ends as no name of a module of the host's does.
// Other texts stay, as nothing tells whether their first word is theirs.
std::string_view take_operation(std::string_view& text) {
  std::string_view rest = text;
  (void)take_until(rest, " ");
  const std::string_view operation = text.substr(0, text.size() - rest.size());
  if (operation.ends_with(": ") || !rest.starts_with(mark_of_guest)) return {};
  text = rest;
  return operation;
}

std::optional<Line> parse_line(std::string_view text) {
  if (!begins_with_time(text)) return std::nullopt;
  Line line;
  line.time = text.substr(0, text.find_first_not_of("0123456789-T:.Z+"));
  text.remove_prefix(line.time.size());
  if (text.starts_with("| ")) {
    text.remove_prefix(2);
    line.thread = take_until(text, "| ");
    const std::size_t end = text.find_first_of(":+");
    if (end == std::string_view::npos) return std::nullopt;
    line.goes_on = text[end] == '+';
    text.remove_prefix(std::min(text.size(), end + 2));
  } else {
    text.remove_prefix(std::min<std::size_t>(text.size(), 1));
    line.goes_on = take_until(text, " ").ends_with('+');
    line.thread = take_until(text, " ");
    if (!line.goes_on) line.operation = take_operation(text);
  }
  line.text = text;
  return line;
}

// Takes the lines of a log one after the other, and says what the guest sent with each.
class Sender {
 public:
  // Nothing if `line` is not of the guest.
  std::optional<std::string_view> text_of(const Line& line) {
    if (line.goes_on) return text_behind(line);
    const bool is_of_guest =
        line.thread.starts_with("vcpu-") && line.text.starts_with(mark_of_guest);
    thread_ = is_of_guest ? line.thread : std::string_view();
    operation_ = line.operation;
    if (!is_of_guest) return std::nullopt;
    return line.text.substr(mark_of_guest.size());
  }

 private:
  // Of a line that goes on with the one before it, which tells the same operation.
  std::optional<std::string_view> text_behind(const Line& line) {
    if (line.thread != thread_) thread_ = {};
    if (thread_.empty()) return std::nullopt;
    return line.text.substr(line.text.starts_with(operation_) ? operation_.size() : 0);
  }

  std::string_view thread_;  // whose text may go on
  std::string_view operation_;
};

}  // namespace

bool is_host_log(const ByteSource& file) {
  constexpr std::uint64_t looked_at = 4096;
  std::string begin(std::min(looked_at, file.size()), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(begin)));
  const std::string_view line = std::string_view(begin).substr(0, begin.find('\n'));
  return begins_with_time(line) && (line.find("vmx") != std::string_view::npos ||
                                    line.find("vcpu-") != std::string_view::npos);
}

std::string begin_of_host_log(const ByteSource& file) {
  constexpr std::uint64_t longest = 64;
  std::string begin(std::min(longest, file.size()), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(begin)));
  if (!begins_with_time(begin)) return {};
  return begin.substr(0, begin.find_first_of(" |"));
}

bool is_read_whole(const ByteSource& file) {
  return file.size() <= most_bytes;
}

std::vector<HostLogLine> lines_of_guest(const ByteSource& file, HostLogRoom& room) {
  std::deque<HostLogLine> lines;
  std::size_t kept_bytes = 0;
  Sender sender;
  const std::string log = read_end(file);
  for_each_line(log, [&](std::string_view bytes) {
    const std::optional<Line> line = parse_line(bytes);
    if (!line) return;
    const std::optional<std::string_view> text = sender.text_of(*line);
    if (!text || text->empty()) return;
    lines.push_back({std::string(line->time), parse_time(line->time), std::string(line->thread),
                     std::string(*text)});
    kept_bytes += text->size();
    while (lines.size() > room.lines || kept_bytes > room.bytes) {
      kept_bytes -= lines.front().text.size();
      lines.pop_front();
      room.was_too_small = true;
    }
  });
  room.lines -= lines.size();
  room.bytes -= kept_bytes;
  return {std::make_move_iterator(lines.begin()), std::make_move_iterator(lines.end())};
}

bool has_lines_of_guest(const ByteSource& file) {
  HostLogRoom room{.lines = 1};
  return !is_read_whole(file) || !lines_of_guest(file, room).empty();
}

bool is_snapshot_pending(const FileTree& tree, const std::filesystem::path& checkpoint) {
  bool pending = false;
  try {
    SilentDiagnostics silent;
    const auto file = tree.open(checkpoint.parent_path() / "vmware.log", silent);
    const std::string text = read_end(*file);
    for_each_line(text, [&](std::string_view line) {
      if (line.find("MainMem: Begin lazy IO") != std::string_view::npos) pending = true;
      if (line.find("Completed pending lazy checkpoint save") != std::string_view::npos) {
        pending = false;
      }
    });
  } catch (const Error&) {
    // There is none, or none that can be read.
  }
  return pending;
}

}  // namespace photon_dmesg
