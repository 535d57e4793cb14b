#include "kernel/find/cross_check.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "kernel/arch/architecture.h"
#include "kernel/find/vmcoreinfo.h"

namespace photon_dmesg {
namespace {

void check_first_page(const GuestKernel& kernel, const RunningKernel& running,
                      Diagnostics& diagnostics) {
  const std::optional<GuestVirtual> text = kernel.find_address("_text");
  const std::optional<GuestVirtual> first = running.image->begin();
  if (!text || !first) return;
  diagnostics.found(
      {.what = "the first image page that the page tables lead to is",
       .value = fmt::format("{}", *first),
       .how = *first == *text ? "_text"
                              : fmt::format("_text is at {}: part of the image is not mapped there "
                                            "(page-table isolation), or not only the image is",
                                            *text)});
}

// Where the handler of divide errors is, by the symbols.
std::optional<GuestVirtual> expected_handler(const GuestKernel& kernel) {
  std::optional<GuestVirtual> expected;
  for (const char* name : kernel.memory().tables().architecture().first_handler_names()) {
    if (!expected) expected = kernel.find_address(name);
  }
  return expected;
}

void check_interrupt_tables(const GuestKernel& kernel, const RunningKernel& running,
                            Diagnostics& diagnostics) {
  const PageTables& tables = kernel.memory().tables();
  const std::optional<GuestVirtual> expected = expected_handler(kernel);
  if (!expected) return;
  for (const RunningKernel::InterruptTable& table : running.interrupt_tables) {
    const std::optional<GuestVirtual> handler =
        tables.architecture().first_handler(tables, table.base);
    if (!handler) {
      diagnostics.found({.what = "IDT at",
                         .value = fmt::format("{}", table.base),
                         .where = fmt::format("vCPU {}", table.vcpu),
                         .how = "it can't be read"});
    } else if (handler == expected) {
      diagnostics.found({.what = "gate 0 of its IDT leads to the handler of divide errors at",
                         .value = fmt::format("{}", *handler),
                         .where = fmt::format("vCPU {}", table.vcpu),
                         .how = "as the KASLR offset says"});
    } else {
      diagnostics.found({.what = "gate 0 of its IDT leads to",
                         .value = fmt::format("{}", *handler),
                         .where = fmt::format("vCPU {}", table.vcpu),
                         .how = fmt::format("the handler of divide errors is at {}: the table of "
                                            "early boot or of another kernel",
                                            *expected)});
    }
  }
}

// How the symbols that VMCOREINFO names stand to those of the same names.
struct NamedSymbols {
  std::size_t agreeing = 0;
  std::vector<std::string> differing;  // "prb is at ... by ..., at ... by the guest's VMCOREINFO"
};

NamedSymbols compare_symbols(const GuestKernel& kernel, const Vmcoreinfo& info) {
  const Architecture::Range& image = kernel.image().range();
  NamedSymbols named;
  for (const auto& [name, said] : info.symbols()) {
    const std::optional<GuestVirtual> address = kernel.find_address(name);
    // Some entries are what a pointer of that name holds: no address in the image.
    if (!address || said < image.begin || said >= image.end) continue;
    if (*address == said) {
      ++named.agreeing;
    } else {
      named.differing.push_back(fmt::format("{} is at {} by {}, at {} by the guest's VMCOREINFO",
                                            name, *address, kernel.symbols().name(), said));
    }
  }
  return named;
}

// Every symbol that VMCOREINFO names and the symbols know must be at the same place.
void check_symbols(const GuestKernel& kernel, const Vmcoreinfo& info, Diagnostics& diagnostics) {
  const NamedSymbols named = compare_symbols(kernel, info);
  for (const std::string& difference : named.differing) diagnostics.warn_of_lack(difference);
  diagnostics.found({.what = "symbols at the addresses known",
                     .value = fmt::format("{}", named.agreeing),
                     .where = "VMCOREINFO"});
}

void check_number(const char* what, std::uint64_t ours, std::uint64_t said,
                  Diagnostics& diagnostics) {
  if (ours == said) {
    diagnostics.found({.what = what,
                       .value = fmt::format("{:#x}", said),
                       .where = "VMCOREINFO",
                       .how = "it agrees"});
  } else {
    diagnostics.warn_of_lack(fmt::format(
        "{} is {:#x} by the guest's memory, {:#x} by its VMCOREINFO", what, ours, said));
  }
}

void check_vmcoreinfo(const GuestKernel& kernel, Diagnostics& diagnostics) {
  const std::optional<GuestVirtual> variable = kernel.find_address("vmcoreinfo_data");
  if (!variable) return;
  const std::optional<Vmcoreinfo> info = read_vmcoreinfo(kernel.memory(), *variable);
  if (!info) {
    diagnostics.found({.what = "none yet",
                       .where = "VMCOREINFO",
                       .how = fmt::format("vmcoreinfo_data at {} leads to none", *variable)});
    return;
  }
  if (info->release() != kernel.banner().release) {
    diagnostics.warn(fmt::format("the banner is of Linux {}, the guest's VMCOREINFO of {}",
                                 kernel.banner().release, info->release()));
    return;
  }
  check_number("KASLR offset", kernel.kaslr_offset(), info->kaslr_offset(), diagnostics);
  if (const auto place = info->number(kernel.place_variable())) {
    check_number(kernel.place_variable(), kernel.image_place(), *place, diagnostics);
  }
  check_symbols(kernel, *info, diagnostics);
}

}  // namespace

void cross_check(const GuestKernel& kernel, const RunningKernel& running,
                 Diagnostics& diagnostics) {
  check_first_page(kernel, running, diagnostics);
  check_interrupt_tables(kernel, running, diagnostics);
  check_vmcoreinfo(kernel, diagnostics);
}

std::optional<std::string> find_contradiction(const GuestKernel& kernel,
                                              const RunningKernel* running) {
  SilentDiagnostics silent;
  if (const auto info = find_vmcoreinfo(kernel, silent)) {
    const NamedSymbols named = compare_symbols(kernel, *info);
    if (!named.differing.empty()) return named.differing.front();
  }
  const std::optional<GuestVirtual> expected = expected_handler(kernel);
  if (running == nullptr || !expected) return std::nullopt;
  const PageTables& tables = kernel.memory().tables();
  for (const RunningKernel::InterruptTable& table : running->interrupt_tables) {
    const auto handler = tables.architecture().first_handler(tables, table.base);
    if (handler && handler != expected) {
      return fmt::format("handler of divide errors is at {}, at {} by vCPU {}'s IDT", *expected,
                         *handler, table.vcpu);
    }
  }
  return std::nullopt;
}

std::optional<Vmcoreinfo> find_vmcoreinfo(const GuestKernel& kernel, Diagnostics& diagnostics) {
  const std::string& release = kernel.banner().release;
  if (const auto variable = kernel.find_address("vmcoreinfo_data")) {
    auto info = read_vmcoreinfo(kernel.memory(), *variable);
    if (info && info->release() == release) return info;
  }
  return find_vmcoreinfo(kernel.image(), release, diagnostics);
}

}  // namespace photon_dmesg
