#include "kernel/symbols/types_of_use.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "support/fixture_guest.h"
#include "support/open_vmlinux.h"
#include "support/ring_writer.h"
#include "support/without_types.h"

namespace photon_dmesg::test {
namespace {

// Remembers which types it was asked for.
class AskedSymbols final : public KernelSymbols {
 public:
  explicit AskedSymbols(const KernelSymbols& symbols) : symbols_(symbols) {}

  [[nodiscard]] std::optional<GuestVirtual> find_symbol(std::string_view name) const override {
    return symbols_.find_symbol(name);
  }
  [[nodiscard]] const StructLayout* find_struct(std::string_view name) const override {
    types_.emplace(name);
    return symbols_.find_struct(name);
  }
  void for_each_symbol(const SymbolVisit& visit) const override { symbols_.for_each_symbol(visit); }
  [[nodiscard]] std::optional<std::string> banner_bytes() const override {
    return symbols_.banner_bytes();
  }
  [[nodiscard]] const std::string& name() const override { return symbols_.name(); }

  [[nodiscard]] const std::set<std::string>& types() const { return types_; }

 private:
  const KernelSymbols& symbols_;
  mutable std::set<std::string> types_;
};

}  // namespace

TEST_CASE("types of use: whatever a reader of a log asks for is among them") {
  for (const char* kernel :
       {PRINTK_RINGBUFFER_KERNEL, PRINTK_LOG_KERNEL, STRUCT_LOG_KERNEL, CALLER_LOG_KERNEL}) {
    CAPTURE(kernel);
    FixtureGuest guest(kernel);
    if (guest.vmlinux().find_symbol("log_buf")) {
      guest.set("log_buf", guest.address("__log_buf").value);
    } else {
      RingWriter ring(guest);
      ring.store("booted");
      ring.publish();
    }
    const AskedSymbols with_types(guest.vmlinux());
    const WithoutTypes bare(guest.vmlinux());
    const AskedSymbols without_types(bare);
    (void)guest.read_log(with_types);
    (void)guest.read_log(without_types);
    CHECK(with_types.types().size() > 1);
    for (const auto& asked : {with_types.types(), without_types.types()}) {
      for (const std::string& name : asked) {
        CAPTURE(name);
        const auto types = types_of_use();
        const bool may_be_there =
            std::any_of(types.begin(), types.end(), [&](const TypeOfUse& type) {
              return type.name == name &&
                     (type.symbol.empty() || guest.vmlinux().find_symbol(type.symbol));
            });
        CHECK(may_be_there);
      }
    }
  }
}

TEST_CASE("types of use: one of two names is only looked for without the other") {
  const auto names_of = [](const char* kernel) {
    std::set<std::string> names;
    const auto vmlinux = open_vmlinux(kernel);
    for (const StructLayout* layout : find_types_of_use(*vmlinux)) names.insert(layout->name());
    return names;
  };
  CHECK(names_of(PRINTK_LOG_KERNEL) == std::set<std::string>{"printk_log", "cont"});
  CHECK(names_of(STRUCT_LOG_KERNEL) == std::set<std::string>{"log", "cont"});
  CHECK(names_of(PRINTK_RINGBUFFER_KERNEL).count("printk_info") == 1);
}

}  // namespace photon_dmesg::test
