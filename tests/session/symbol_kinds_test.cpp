#include "session/symbol_kinds.h"

#include <catch2/catch.hpp>

#include "support/boot_image_builder.h"
#include "support/errors.h"

namespace photon_dmesg::test {
namespace {

// `bytes`, which must outlive what is returned, as a file that was named.
SymbolInput input_of(const std::string& bytes) {
  SymbolInput input;
  input.path = "vmlinuz";
  input.file = std::make_shared<BufferSource>("vmlinuz", as_bytes(bytes));
  input.kind = identify_symbols(*input.file).value();
  return input;
}

}  // namespace

TEST_CASE("read_symbols: a boot image is one kernel's symbols, and named as such") {
  const std::string image = BootKernel().image();
  const SymbolInput input = input_of(image);
  CHECK(input.kind == SymbolKind::BootImage);
  CHECK_FALSE(holds_packages(input.kind));
  CollectedDiagnostics diagnostics;
  const SymbolSource source = read_symbols(input, diagnostics);
  CHECK(source.symbols->find_symbol("prb"));
  CHECK(source.provenance.boot_image == "vmlinuz");
  CHECK_FALSE(source.provenance.vmlinux);
  CHECK(describe(source.provenance) == "vmlinuz");
}

TEST_CASE("read_symbols: a boot image that names functions alone says what to give instead") {
  const std::string image = BootKernel{.has_variables = false}.image();
  CollectedDiagnostics diagnostics;
  check_fails(Failure::UnusableInput,
              "vmlinuz: its symbols are functions only, which do not tell where the log is: give "
              "the System.map of the same build",
              [&] { (void)read_symbols(input_of(image), diagnostics); });
}

}  // namespace photon_dmesg::test
