#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace photon_dmesg {

// A place in a program's source.
struct SourceLine {
  std::string function;    // empty: the debug information names none
  std::string file;        // without the folder that the kernel was built in; empty: not known
  std::uint64_t line = 0;  // 0: no single line, as of code that the compiler has merged

  friend bool operator==(const SourceLine&, const SourceLine&) = default;
};

// What stands at each of several addresses: the innermost of the functions that are inlined there
// first, each further one with the line in which it calls the one before it. The last is the
// function that the symbol table knows. Addresses of which nothing is known are absent.
using LinesByAddress = std::map<std::uint64_t, std::vector<SourceLine>>;

}  // namespace photon_dmesg
