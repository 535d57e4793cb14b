#include "report/pattern.h"

#include <fmt/format.h>

#include <array>

#include "base/error.h"

namespace photon_dmesg {

Pattern::Pattern(const std::string& expression, bool ignore_case) {
  const int flags = REG_EXTENDED | REG_NOSUB | REG_NEWLINE | (ignore_case ? REG_ICASE : 0);
  const int error = ::regcomp(&compiled_, expression.c_str(), flags);
  if (error == 0) return;
  std::array<char, 128> reason{};
  ::regerror(error, &compiled_, reason.data(), reason.size());
  throw Error(Failure::Usage, fmt::format("--grep {}: expected an extended regular expression: {}",
                                          expression, reason.data()));
}

Pattern::~Pattern() {
  ::regfree(&compiled_);
}

bool Pattern::matches(const std::string& text) const {
  // By its length, since the kernel's text may hold NULs.
  regmatch_t range{0, static_cast<regoff_t>(text.size())};
  return ::regexec(&compiled_, text.c_str(), 0, &range, REG_STARTEND) == 0;
}

}  // namespace photon_dmesg
