#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "kernel/symbols/struct_layout.h"

namespace photon_dmesg {

class Architecture;

enum class SymbolBinding { Local, Global };

// Chooses between symbols of one name: a global one counts before local ones; several of the same
// kind with different addresses (static ones may be) leave a doubt.
class SymbolChoice {
 public:
  void offer(GuestVirtual address, SymbolBinding binding);

  // The address, or nothing without a symbol or with a doubt.
  [[nodiscard]] std::optional<GuestVirtual> address() const;

 private:
  std::optional<GuestVirtual> address_;
  SymbolBinding binding_ = SymbolBinding::Local;
  bool ambiguous_ = false;
};

// A place in the kernel by the symbol in front of it.
struct SymbolPlace {
  std::string name;
  std::uint64_t offset = 0;  // bytes behind the symbol
};

// Finds the symbol that an address belongs to: the last one at or before it.
class NearestSymbol {
 public:
  explicit NearestSymbol(GuestVirtual address) : address_(address) {}

  void offer(GuestVirtual symbol, std::string_view name);

  // Nothing if no symbol was offered, or none near enough to be the address's own.
  [[nodiscard]] std::optional<SymbolPlace> place() const;

 private:
  GuestVirtual address_;
  GuestVirtual nearest_;
  std::string name_;  // empty: none yet
};

// Whether `symbol` is `name`, or what compilers call a function's static variable of that name:
// with a dot and a number behind it.
[[nodiscard]] bool is_static_name(std::string_view symbol, std::string_view name);

// What is known of one kernel build: addresses of its symbols and layouts of its structures. The
// interface behind which the sources of such knowledge stand.
class KernelSymbols {
 public:
  KernelSymbols() = default;
  KernelSymbols(const KernelSymbols&) = delete;
  KernelSymbols& operator=(const KernelSymbols&) = delete;
  virtual ~KernelSymbols() = default;

  // The address `name` was linked at (without the KASLR offset); nothing if there is no such symbol
  // or if several have that name.
  [[nodiscard]] virtual std::optional<GuestVirtual> find_symbol(std::string_view name) const = 0;

  // The same for a static variable of a function: see is_static_name().
  [[nodiscard]] virtual std::optional<GuestVirtual> find_static(std::string_view name) const {
    return find_symbol(name);
  }

  // Of several symbols called `name`, the one nearest to `sibling`, which stands beside it in the
  // same source file; nothing if there is no symbol of either name.
  [[nodiscard]] std::optional<GuestVirtual> find_beside(std::string_view name,
                                                        std::string_view sibling) const;

  // The symbol that the linked address `address` belongs to, if this source can tell. It must be
  // one of the image: sources also hold symbols that lie elsewhere or nowhere, such as per-CPU
  // offsets.
  [[nodiscard]] virtual std::optional<SymbolPlace> find_place(GuestVirtual /*address*/) const {
    return std::nullopt;
  }

  // Calls `visit` with every symbol that this source knows, its address as linked: of all by which
  // find_symbol, find_static and find_place answer, and in an order in which SymbolChoice and
  // NearestSymbol come to the same answers.
  using SymbolVisit =
      std::function<void(std::string_view name, GuestVirtual address, SymbolBinding binding)>;
  virtual void for_each_symbol(const SymbolVisit& visit) const = 0;

  // What not every source knows; one that doesn't leaves these as they are.

  // The layout of `struct name`, or null if this source doesn't know it. Owned by this object.
  [[nodiscard]] virtual const StructLayout* find_struct(std::string_view /*name*/) const {
    return nullptr;
  }

  // The banner that this kernel prints, newline and all; nothing if the source doesn't hold it.
  [[nodiscard]] virtual std::optional<std::string> banner_bytes() const { return std::nullopt; }

  // The GNU build-id in lower-case hexadecimal.
  [[nodiscard]] virtual std::optional<std::string> build_id() const { return std::nullopt; }

  // What the kernel runs on; null if the source doesn't tell. Lives as long as the program.
  [[nodiscard]] virtual const Architecture* architecture() const { return nullptr; }

  // Whether the source is the guest's own memory: then it needs no proof that it is of the guest's
  // kernel.
  [[nodiscard]] virtual bool is_of_guest_itself() const { return false; }

  // What messages call this source.
  [[nodiscard]] virtual const std::string& name() const = 0;

  // As find_symbol and find_struct, but Error(UnusableInput) that names what is missing.
  [[nodiscard]] GuestVirtual symbol(std::string_view name) const;
  [[nodiscard]] const StructLayout& structure(std::string_view name) const;
};

}  // namespace photon_dmesg
