#pragma once

#include <regex.h>

#include <string>

namespace photon_dmesg {

// A POSIX extended regular expression, as `grep -E` takes it, in the locale of LC_CTYPE.
class Pattern {
 public:
  // Throws Error(Usage) with the reason if `expression` is none.
  Pattern(const std::string& expression, bool ignore_case);
  ~Pattern();
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  // Whether any line of `text` matches.
  [[nodiscard]] bool matches(const std::string& text) const;

 private:
  regex_t compiled_{};
};

}  // namespace photon_dmesg
