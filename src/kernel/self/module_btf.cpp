#include "kernel/self/module_btf.h"

#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/large_buffer.h"
#include "kernel/memory/fields.h"
#include "kernel/memory/linked_list.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t most_modules = 16384;

// Where one module's BTF stands.
struct Place {
  GuestVirtual begin;
  std::uint64_t size = 0;
};

std::vector<Place> find_places(const GuestKernel& kernel, const KernelTypes& types) {
  std::vector<Place> places;
  const KernelMemory& memory = kernel.memory();
  const auto head = kernel.find_address("btf_modules");
  const auto link = types.find("btf_module.list");
  const auto btf = types.find("btf_module.btf");
  if (!head || !link) return places;
  for (const GuestVirtual node : walk_list(memory, *head, most_modules).nodes) {
    const auto of_module = read_pointer(memory, {node.value - link->offset}, btf);
    if (!of_module) continue;
    const auto begin = read_pointer(memory, *of_module, types.find("btf.data"));
    const auto size = read_number(memory, *of_module, types.find("btf.data_size"));
    if (begin && size) places.push_back({*begin, *size});
  }
  return places;
}

class ModuleBtf final : public TypeSource {
 public:
  ModuleBtf(const KernelMemory& memory, std::vector<Place> places,
            std::vector<std::shared_ptr<const TypeSource>> trusted,
            std::shared_ptr<const Btf> kernel_btf)
      : memory_(memory),
        places_(std::move(places)),
        trusted_(std::move(trusted)),
        kernel_btf_(std::move(kernel_btf)) {}

  [[nodiscard]] const StructLayout* find_struct(std::string_view name) const override {
    for (const auto& source : trusted_) {
      if (source->find_struct(name) != nullptr) return nullptr;
    }
    read();
    for (const auto& module : modules_) {
      if (const StructLayout* layout = module->find_struct(name)) return layout;
    }
    return nullptr;
  }

  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  // All of them may take as much as one kernel's.
  void read() const {
    if (is_read_) return;
    is_read_ = true;
    std::uint64_t left = most_btf_bytes;
    for (const Place& place : places_) {
      if (place.size > left) break;
      left -= place.size;
      LargeBuffer bytes(place.size);
      if (!memory_.read(place.begin, bytes.bytes())) continue;
      try {
        modules_.push_back(Btf::parse(std::move(bytes), name_, kernel_btf_));
      } catch (const Error&) {
        // Damaged: then its types are not known.
      }
    }
  }

  const std::string name_ = "BTF of modules in the guest's memory";
  const KernelMemory& memory_;
  std::vector<Place> places_;
  std::vector<std::shared_ptr<const TypeSource>> trusted_;
  std::shared_ptr<const Btf> kernel_btf_;
  mutable bool is_read_ = false;
  mutable std::vector<std::unique_ptr<Btf>> modules_;
};

}  // namespace

std::shared_ptr<const TypeSource> find_module_btf(const GuestKernel& kernel,
                                                  const KernelTypes& types,
                                                  std::shared_ptr<const Btf> kernel_btf,
                                                  Diagnostics& diagnostics) {
  std::vector<Place> places = find_places(kernel, types);
  if (places.empty()) return nullptr;
  diagnostics.found({.what = "types of modules",
                     .value = fmt::format("{}", places.size()),
                     .where = "BTF",
                     .how = "the guest's memory, by btf_modules"});
  return std::make_shared<ModuleBtf>(kernel.memory(), std::move(places), types.sources(),
                                     std::move(kernel_btf));
}

}  // namespace photon_dmesg
