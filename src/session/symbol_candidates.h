#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_stream.h"
#include "base/error.h"
#include "kernel/symbols/kernel_symbols.h"
#include "kernel/symbols/provenance.h"

namespace photon_dmesg {

// A kernel's symbols and where they were found.
struct SymbolSource {
  std::shared_ptr<const KernelSymbols> symbols;
  Provenance provenance;
  std::optional<std::string> release;  // as the source says, which not every source does
  std::function<std::unique_ptr<ByteStream>()> open_package;  // opens the package once more
  std::string header_digest;                                  // of the package that was accepted
};

// Which kernel's symbols are looked for; what is not known is absent.
struct WantedKernel {
  std::optional<std::string> release;
  std::optional<std::int64_t> built_at;       // seconds since 1970, by its banner
  std::optional<std::string> architecture{};  // as `uname -m`
};

// Symbols that may be of the wanted kernel, the likeliest first, each read only when it is its
// turn.
class SymbolCandidates {
 public:
  SymbolCandidates() = default;
  virtual ~SymbolCandidates() = default;
  SymbolCandidates(const SymbolCandidates&) = delete;
  SymbolCandidates& operator=(const SymbolCandidates&) = delete;

  // The next one; nothing when there are no more.
  [[nodiscard]] virtual std::optional<SymbolSource> next() = 0;

  // The last one is not of the guest's kernel, and `why`.
  virtual void refuse(const Error& why) = 0;

  // The last one is: says what the user must know of those that were passed over.
  virtual void accept() {}

  // Why those that were tried are not: the Error that helps the user most with each source of them.
  [[nodiscard]] virtual std::vector<Error> failures() const = 0;
};

}  // namespace photon_dmesg
