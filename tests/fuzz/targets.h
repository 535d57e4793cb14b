#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/error.h"

namespace photon_dmesg::fuzz {

// Each target is a pure function of bytes: it hands them to some of the program's readers as what
// these read, and asks for everything that they know. It may end with an Error. Whatever else ends
// it (a sanitizer, another exception, a promise of the program's that does not hold) is a fault.
using Bytes = std::span<const std::byte>;

void fuzz_btf(Bytes input);
void fuzz_bundle(Bytes input);
void fuzz_checkpoint(Bytes input);
void fuzz_guest_files(Bytes input);
void fuzz_iso(Bytes input);
void fuzz_kallsyms(Bytes input);
void fuzz_kdump(Bytes input);
void fuzz_log(Bytes input);
void fuzz_options(Bytes input);
void fuzz_packed_memory(Bytes input);
void fuzz_page_tables(Bytes input);
void fuzz_payload(Bytes input);
void fuzz_reports(Bytes input);
void fuzz_rpm(Bytes input);
void fuzz_self(Bytes input);
void fuzz_symbols(Bytes input);
void fuzz_tasks(Bytes input);
void fuzz_triage_log(Bytes input);
void fuzz_vmlinux(Bytes input);

struct Target {
  std::string_view name;  // also of its folder of seeds and of its program, fuzz-NAME
  void (*run)(Bytes input);
};

inline constexpr std::array targets = {
    Target{"btf", fuzz_btf},
    Target{"bundle", fuzz_bundle},
    Target{"checkpoint", fuzz_checkpoint},
    Target{"guest-files", fuzz_guest_files},
    Target{"iso", fuzz_iso},
    Target{"kallsyms", fuzz_kallsyms},
    Target{"kdump", fuzz_kdump},
    Target{"log", fuzz_log},
    Target{"options", fuzz_options},
    Target{"packed-memory", fuzz_packed_memory},
    Target{"page-tables", fuzz_page_tables},
    Target{"payload", fuzz_payload},
    Target{"reports", fuzz_reports},
    Target{"rpm", fuzz_rpm},
    Target{"self", fuzz_self},
    Target{"symbols", fuzz_symbols},
    Target{"tasks", fuzz_tasks},
    Target{"triage-log", fuzz_triage_log},
    Target{"vmlinux", fuzz_vmlinux},
};

// Runs one with one input.
inline void run(void (*target)(Bytes), Bytes input) {
  try {
    target(input);
  } catch (const Error&) {
    // What the program says of damaged files.
  }
}

// A promise of the program's.
inline void require(bool holds, const char* promise) {
  if (!holds) throw std::logic_error(std::string("broken: ") + promise);
}

}  // namespace photon_dmesg::fuzz
