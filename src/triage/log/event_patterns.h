#pragma once

#include <string_view>
#include <vector>

#include "triage/finding.h"

namespace photon_dmesg {

// How a line stands to the report that it is in.
enum class LineRole {
  Names,   // begins a report, and says what it is about
  Closer,  // as Names; if an Exception has just begun the report, that was it
  Part,    // a later line of a report of its kind; begins one where there is none
  // What every exception and every WARN() prints: begins a report, unless one has just begun that
  // says more.
  Exception,
  Noise,  // says nothing: healthy guests have it too
};

// A line by which a report is known, and what it says.
struct EventPattern {
  std::string_view text;  // with this a word of the line begins
  FindingKind kind = FindingKind::Warning;
  std::string_view what;         // its sub-class; empty: what stands behind `text`
  std::string_view object = {};  // the mark behind which its object stands, or one of these:
  std::string_view also = {};    // stands somewhere behind `text`
  LineRole role = LineRole::Names;
  bool at_start = false;  // `text` is what the line begins with
};
inline constexpr std::string_view object_before = "<";  // what stands in front of `text`
inline constexpr std::string_view object_behind = ">";  // what stands behind it

// All that the kernel prints, the more exact ones first: the first that fits counts.
[[nodiscard]] const std::vector<EventPattern>& kernel_patterns();

// What systemd says in the kernel's log, as long as no journald takes it.
[[nodiscard]] const std::vector<EventPattern>& systemd_patterns();

// Where in `line` a pattern fits.
struct PatternMatch {
  const EventPattern* pattern = nullptr;
  std::size_t at = 0;  // of its text
};

// Looks for patterns at the beginning of each word. Takes time by the length of a line only: a word
// is compared with those patterns that begin with its first letter.
class PatternIndex {
 public:
  explicit PatternIndex(const std::vector<EventPattern>& patterns);

  // The first pattern that fits; null if none does.
  [[nodiscard]] PatternMatch find(std::string_view line) const;

 private:
  const std::vector<EventPattern>& patterns_;
  std::vector<std::vector<std::size_t>> by_letter_;  // of 256: the patterns that begin with it
};

// What `match` says of the object: a device, file system or function; empty if nothing.
[[nodiscard]] std::string_view object_of(const PatternMatch& match, std::string_view line);

}  // namespace photon_dmesg
