#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/diagnostics.h"
#include "kernel/code/code_map.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/symbols/kernel_types.h"
#include "kernel/tasks/cpus.h"
#include "kernel/tasks/tasks.h"
#include "support/page_table_builder.h"

namespace photon_dmesg::test {

// A member as a test writes it down: {"thread", 200, 16, "thread_struct"}.
struct MadeMember {
  std::string name;
  std::uint64_t offset = 0;
  std::uint64_t size = 8;
  std::string type{};
};

// Structures that a test lays out.
class MadeTypes final : public TypeSource {
 public:
  void add(const std::string& name, std::uint64_t size, const std::vector<MadeMember>& members);
  [[nodiscard]] const StructLayout* find_struct(std::string_view name) const override;
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  std::string name_ = "the test's types";
  std::map<std::string, StructLayout, std::less<>> layouts_;
};

// Symbols that a test lists, in its order, at the addresses they are linked at.
class MadeSymbols final : public KernelSymbols {
 public:
  void add(std::string name, GuestVirtual linked) { list_.emplace_back(std::move(name), linked); }
  [[nodiscard]] std::optional<GuestVirtual> find_symbol(std::string_view name) const override;
  [[nodiscard]] std::optional<SymbolPlace> find_place(GuestVirtual address) const override;
  void for_each_symbol(const SymbolVisit& visit) const override;
  [[nodiscard]] bool is_of_guest_itself() const override { return true; }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  std::string name_ = "the test's symbols";
  std::vector<std::pair<std::string, GuestVirtual>> list_;
};

// A task in a TaskGuest.
struct MadeTask {
  GuestVirtual address;
  GuestVirtual stack;

  [[nodiscard]] GuestVirtual stack_end() const { return stack + kernel_stack_size; }
};

// Where the types of a TaskGuest have a task's members; a test that wants others adds its own.
namespace task_at {
inline constexpr std::uint64_t state = 24, stack = 32, flags = 44, on_cpu = 52, cpu = 64,
                               last_arrival = 80, last_queued = 88, exec_start = 96, tasks = 200,
                               exit_state = 260, pid = 300, tgid = 304, real_parent = 312,
                               pid_links = 400, thread_node = 464, start_time = 488, comm = 600,
                               signal = 640, pi_blocked_on = 700, blocked_on = 708, blocker = 716,
                               sp = 824, size = 1024;
}  // namespace task_at

// A guest whose kernel a test makes up: what it asks for stands in memory, at the kernel's
// addresses and behind its page tables, under KASLR. Memory of the kernel's image, its direct map
// and of its modules is there; nothing else is mapped.
class TaskGuest {
 public:
  // `release`: as uname -r. Text and data are empty but for the banner.
  explicit TaskGuest(const std::string& release = "6.1.0");

  static constexpr std::uint64_t kaslr_offset = 0x1a000000;
  static constexpr GuestVirtual linked_text{0xffffffff81000000};
  static constexpr std::uint64_t text_size = 0x100000;
  static constexpr GuestVirtual module_begin{0xffffffffc0200000};
  static constexpr GuestVirtual nowhere{0xffffc90000001000};  // a kernel address that is not mapped

  // A function of `size` bytes behind the one before; its run-time address.
  GuestVirtual function(const std::string& name, std::uint64_t size = 0x100);
  // A variable of `size` bytes in the image's data, all zeros.
  GuestVirtual variable(const std::string& name, std::uint64_t size = 64);
  // A symbol without memory of its own. As linked.
  void symbol(const std::string& name, GuestVirtual linked) { symbols_.add(name, linked); }
  void type(const std::string& name, std::uint64_t size, const std::vector<MadeMember>& members) {
    made_types_->add(name, size, members);
  }

  // `size` bytes of zeros in the direct map.
  GuestVirtual allocate(std::uint64_t size, std::uint64_t alignment = 16);
  // A page of its own among those of modules, which may be executed or else written.
  GuestVirtual module_page(bool is_code);
  void write(GuestVirtual at, std::uint64_t value, std::size_t width = 8);
  void write(GuestVirtual at, GuestVirtual value) { write(at, value.value); }
  void write_text(GuestVirtual at, std::string_view text);
  void write_bytes(GuestVirtual at, const std::vector<unsigned>& bytes);
  // Words one behind the other; the address behind them.
  GuestVirtual write_words(GuestVirtual at, const std::vector<std::uint64_t>& words);
  [[nodiscard]] std::uint64_t read(GuestVirtual at, std::size_t width = 8) const;

  // The return address of a direct call of `callee` that ends `offset` bytes into `caller`, where
  // it is written; and of a call through a register.
  std::uint64_t call(GuestVirtual caller, std::uint64_t offset, GuestVirtual callee);
  std::uint64_t indirect_call(GuestVirtual caller, std::uint64_t offset);

  // The kernel's lists: struct list_head.
  void begin_list(GuestVirtual head);
  void append(GuestVirtual head, GuestVirtual node);

  // A task with a stack, in the list of init_task, its process's list of threads, and of that
  // process if it is a thread. The first is init_task. By the types of this guest.
  MadeTask task(std::int32_t pid, const std::string& comm);
  MadeTask thread(const MadeTask& leader, std::int32_t pid, const std::string& comm);
  // Saves `frames` as a struct inactive_task_frame has it at `sp`: its rbp and return address.
  void save_frame(const MadeTask& task, GuestVirtual sp, std::uint64_t bp, std::uint64_t ip);
  // A struct pt_regs at `at`.
  void write_registers(GuestVirtual at, std::uint64_t ip, std::uint64_t sp, std::uint64_t bp,
                       std::uint16_t cs = 0x10);

  // `line`s of an ORC table of the image; `bits` as they stand in memory.
  struct OrcLine {
    GuestVirtual address;
    std::int16_t sp_offset = 0;
    std::int16_t bp_offset = 0;
    std::uint16_t bits = 0;
  };
  void orc(const std::vector<OrcLine>& lines, const std::string& header_hash = "");

  // As it is by now.
  [[nodiscard]] const GuestKernel& kernel();
  [[nodiscard]] const KernelMemory& memory() { return kernel().memory(); }
  [[nodiscard]] const KernelTypes& types() const { return types_; }
  [[nodiscard]] MadeTypes& made_types() { return *made_types_; }
  [[nodiscard]] CollectedDiagnostics& diagnostics() { return diagnostics_; }

  [[nodiscard]] Tasks tasks() { return {kernel(), types_, cpus(), std::nullopt, diagnostics_}; }
  [[nodiscard]] CodeMap code() { return {kernel(), read_modules(kernel(), types_, diagnostics_)}; }
  [[nodiscard]] Cpus cpus(std::size_t vcpus = 1) {
    return {kernel(), types_, std::vector<Vcpu>(vcpus), diagnostics_};
  }

 private:
  void add_task_types();
  MadeTask make_task(std::int32_t pid, std::int32_t tgid, const std::string& comm);
  void write_to_memory(GuestVirtual at, std::string_view bytes);

  std::unique_ptr<FakeMemory> memory_;
  std::unique_ptr<PageTableBuilder> tables_;
  MadeSymbols symbols_;
  std::uint64_t module_pages_ = 0;
  std::shared_ptr<MadeTypes> made_types_ = std::make_shared<MadeTypes>();
  KernelTypes types_;
  CollectedDiagnostics diagnostics_;
  KernelBanner banner_;
  std::optional<GuestKernel> kernel_;
  std::uint64_t next_function_ = 0x1000;  // in the text
  std::uint64_t next_variable_ = 0x1000;  // in the data
  std::uint64_t next_free_ = 0x1000;      // in the direct map
  std::optional<MadeTask> init_task_;
};

// What an address is called in a test that fails.
inline std::string hex(GuestVirtual address) {
  return fmt::format("{}", address);
}

}  // namespace photon_dmesg::test
