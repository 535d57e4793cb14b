// Times, patterns, levels and facilities as users type them.
#include "cli/options/option_values.h"
#include "fuzz/input.h"
#include "fuzz/readable.h"
#include "report/pattern.h"
#include "report/time_format.h"
#include "report/time_spec.h"

namespace photon_dmesg::fuzz {
namespace {

// The C library takes memory and time without bounds for some patterns: a user who types such a one
// can stop it.
bool is_cheap(std::string_view pattern) {
  constexpr std::size_t longest = 32;
  constexpr auto most_repeats = 2;  // of repeats: each doubles what is to be kept
  return pattern.size() <= longest && pattern.find_first_of("{\\") == std::string_view::npos &&
         std::count(pattern.begin(), pattern.end(), '+') <= most_repeats;
}

void try_pattern(Input& input) {
  const bool ignore_case = (input.byte() & 1) != 0;
  const std::string expression = input.text();
  if (!is_cheap(expression)) return;
  (void)Pattern(expression, ignore_case).matches(Input::as_string(input.rest()));
}

void try_time(Input& input) {
  const auto now = static_cast<std::int64_t>(input.number(6));
  const std::string text = Input::as_string(input.rest());
  if (const auto usec = parse_time(text, now)) (void)duration(*usec);
  check_time("--since", text);
}

// Absolute times read back what was written.
void try_written_time(Input& input) {
  constexpr std::int64_t second = 1'000'000'000;
  const auto time = static_cast<std::int64_t>(input.number(5));  // seconds, some 34000 years
  if (time > 253'370'764'800) return;                            // the year 9999
  if (time > INT64_MAX / second) return;
  std::string text = utc_time(time * second);
  text.pop_back();  // Z: the zone of the environment is UTC
  require(parse_time(text, 0) == time * 1'000'000, "a time reads back as it was written");
}

}  // namespace

void fuzz_options(Bytes bytes) {
  static const bool is_utc = [] {
    ::setenv("TZ", "UTC0", 1);
    ::tzset();
    return true;
  }();
  (void)is_utc;
  Input input(bytes);
  switch (input.byte() % 6) {
    case 0:
      return try_pattern(input);
    case 1:
      return try_time(input);
    case 2:
      return try_written_time(input);
    case 3: {
      std::bitset<256> levels;
      return add_levels(Input::as_string(input.rest()), levels);
    }
    case 4: {
      std::bitset<256> facilities;
      return add_facilities(Input::as_string(input.rest()), facilities);
    }
    default: {
      std::vector<TimeFormat> formats;
      return add_time_formats(Input::as_string(input.rest()), formats);
    }
  }
}

}  // namespace photon_dmesg::fuzz
