#include "report/host_evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>

namespace photon_dmesg {
namespace {

constexpr std::uint64_t nsec_per_usec = 1000;
constexpr std::uint64_t second = 1'000'000'000;

// What both logs have of a text: the host may write other bytes otherwise.
std::string plain(std::string_view text) {
  std::string kept;
  for (const char byte : text) {
    if (byte >= ' ' && byte <= '~') kept += byte;
  }
  while (kept.ends_with(' ')) kept.pop_back();
  return kept;
}

// A line is cut where the buffer that it was sent in ends, of 1024 bytes with what stands before:
// one that is as long as this may be the beginning of what was logged.
constexpr std::size_t perhaps_cut = 900;

// Of a time stamp and a text, one byte after the other (FNV-1a): so each beginning of a text has
// its own.
class Hash {
 public:
  explicit Hash(std::uint64_t usec) { mix(usec); }
  void add(char byte) { mix(static_cast<unsigned char>(byte)); }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  void mix(std::uint64_t bits) {
    constexpr std::uint64_t prime = 0x100000001b3;
    value_ = (value_ ^ bits) * prime;
  }

  std::uint64_t value_ = 0xcbf29ce484222325;
};

std::uint64_t hash_of(std::uint64_t usec, std::string_view text) {
  Hash hash(usec);
  for (const char byte : text) hash.add(byte);
  return hash.value();
}

// The newest time stamp among lines.
std::uint64_t newest_of(const std::vector<HostLine>& lines, const HostDump& dump) {
  std::uint64_t newest = 0;
  for (std::size_t i = dump.begin; i < dump.end; ++i) {
    newest = std::max(newest, lines[i].ts_nsec.value_or(0));
  }
  return newest;
}

bool begins_anew(const HostLine& line, const HostLine& before, std::uint64_t newest) {
  constexpr std::uint64_t disorder = second;  // between processors
  constexpr std::int64_t longest_pause = 60'000'000'000;
  const bool goes_back = line.ts_nsec && *line.ts_nsec + disorder < newest;
  return goes_back || (line.host_nsec && before.host_nsec &&
                       *line.host_nsec - *before.host_nsec > longest_pause);
}

// What is said of lines that do not count.
struct Others {
  std::size_t count = 0;
  const HostLine* last = nullptr;

  void add(const HostLine& line) {
    ++count;
    last = &line;
  }
  [[nodiscard]] std::string sentence(std::string_view what) const {
    return fmt::format(
        "{}: {} {} that the guest sent to its host, the last at {} by the host's "
        "clock, {}: photon-dmesg {} alone shows what it holds",
        last->file, count, count == 1 ? "line" : "lines", last->host_time, what, last->file);
  }
};

}  // namespace

std::vector<HostDump> dumps_of(const std::vector<HostLine>& lines) {
  std::vector<HostDump> dumps;
  std::uint64_t newest = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i == 0 || begins_anew(lines[i], lines[i - 1], newest)) {
      dumps.push_back({i, i});
      newest = 0;
    }
    dumps.back().end = i + 1;
    newest = std::max(newest, lines[i].ts_nsec.value_or(0));
  }
  return dumps;
}

std::vector<HostLine> HostTestimony::missing() const {
  std::vector<HostLine> result;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!is_logged[i]) result.push_back(lines[i]);
  }
  return result;
}

HostEvidence::HostEvidence(std::vector<HostLine> lines) : lines_(std::move(lines)) {
  std::erase_if(lines_, [](const HostLine& line) { return !is_of_kernel(line); });
  is_logged_.resize(lines_.size());
  plain_.reserve(lines_.size());
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const HostLine& line = lines_[i];
    plain_.push_back(plain(line.text));
    if (line.ts_nsec) by_hash_[hash_of(*line.ts_nsec / nsec_per_usec, plain_[i])].push_back(i);
  }
}

void HostEvidence::add(const LogRecord& record) {
  if (lines_.empty() || record.state == LogRecord::State::TextLost) return;
  if (record.origin == LogRecord::Origin::Log) {  // the buffer of early boot has a gap behind it
    first_nsec_ = std::min(first_nsec_.value_or(record.ts_nsec), record.ts_nsec);
    last_nsec_ = std::max(last_nsec_, record.ts_nsec);
  }
  std::string_view rest = record.text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    find(record.ts_nsec / nsec_per_usec, plain(line));
  }
}

// Finds what was sent of a line of the log.
void HostEvidence::find(std::uint64_t usec, std::string_view logged) {
  Hash hash(usec);
  for (std::size_t length = 0; length < logged.size(); ++length) {
    if (length >= perhaps_cut) mark(usec, logged.substr(0, length), hash.value());
    hash.add(logged[length]);
  }
  mark(usec, logged, hash.value());
}

void HostEvidence::mark(std::uint64_t usec, std::string_view sent, std::uint64_t hash) {
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end()) return;
  std::erase_if(found->second, [&](std::size_t i) {
    if (*lines_[i].ts_nsec / nsec_per_usec != usec || plain_[i] != sent) return false;
    is_logged_[i] = true;
    return true;
  });
}

// Whether the log says that a dump is of this boot; nothing if it says neither. Early in boot, when
// clocks are coarse, lines of two boots may well have the same time.
std::optional<bool> HostEvidence::is_by_log(const HostDump& dump) const {
  constexpr std::size_t enough = 8;
  std::size_t covered = 0;
  std::size_t logged = 0;
  for (std::size_t i = dump.begin; i < dump.end; ++i) {
    const std::uint64_t usec = lines_[i].ts_nsec.value_or(0) / nsec_per_usec;
    const bool is_covered =
        first_nsec_ && usec >= *first_nsec_ / nsec_per_usec && usec <= last_nsec_ / nsec_per_usec;
    if (usec == 0 || !is_covered) continue;
    ++covered;
    if (is_logged_[i]) ++logged;
  }
  if (logged * 2 > covered) return true;
  return covered >= enough && logged * enough < covered ? std::optional(false) : std::nullopt;
}

HostEvidence::Boot HostEvidence::boot_of(const HostDump& dump,
                                         const std::optional<ClockHistory>& clock) const {
  const std::optional<bool> by_log = is_by_log(dump);
  if (by_log == true) return Boot::This;
  const std::optional<std::int64_t>& host = lines_[dump.end - 1].host_nsec;
  const std::uint64_t newest = newest_of(lines_, dump);
  const std::optional<std::int64_t> logged = clock ? clock->time_of_day(newest) : std::nullopt;
  if (!logged || !host) return by_log == false ? Boot::Earlier : Boot::Unknown;
  constexpr std::uint64_t most_off = 60 * second;
  const auto allowed = static_cast<double>(std::min(most_off, newest / 2));
  const double off = static_cast<double>(*host) - static_cast<double>(*logged);
  if (!by_log && std::abs(off) <= allowed) return Boot::This;
  if (*host > clock->clock().last_update_nsec) return Boot::Later;
  return by_log == false || *host < clock->boot() ? Boot::Earlier : Boot::Unknown;
}

// Behind this, printk's clock can't have been when the guest was stopped: a kernel that panics with
// its processors hung moves its clock no more, but not for longer.
std::uint64_t HostEvidence::stopped(const std::optional<ClockHistory>& clock) const {
  constexpr std::uint64_t hung = 30 * second;
  std::uint64_t last = last_nsec_;
  if (clock && clock->printk_at_stop() > 0) {
    last = std::max(last, static_cast<std::uint64_t>(clock->printk_at_stop()));
  }
  return last + hung;
}

HostTestimony HostEvidence::finish(const std::optional<ClockHistory>& clock) const {
  HostTestimony testimony;
  std::set<std::pair<std::uint64_t, std::string_view>> known;
  Others earlier;
  Others later;
  Others unknown;
  for (const HostDump& dump : dumps_of(lines_)) {
    const Boot boot = boot_of(dump, clock);
    for (std::size_t i = dump.begin; i < dump.end; ++i) {
      const HostLine& line = lines_[i];
      const std::uint64_t time = line.ts_nsec.value_or(0);
      if (boot == Boot::Later || (boot == Boot::This && time > stopped(clock))) {
        later.add(line);
      } else if (boot != Boot::This) {
        (boot == Boot::Earlier ? earlier : unknown).add(line);
      } else if (known.emplace(time, line.text).second) {
        testimony.lines.push_back(line);
        testimony.is_logged.push_back(is_logged_[i]);
        if (is_logged_[i]) ++testimony.logged;
      }
    }
  }
  if (earlier.count > 0) {
    testimony.elsewhere.push_back(earlier.sentence("are of an earlier boot of the guest"));
  }
  if (later.count > 0) {
    testimony.elsewhere.push_back(later.sentence("came after this memory was saved"));
  }
  if (unknown.count > 0) {
    testimony.doubts.push_back(
        unknown.sentence("are not used, as whether they are of this boot can't be told"));
  }
  return testimony;
}

}  // namespace photon_dmesg
