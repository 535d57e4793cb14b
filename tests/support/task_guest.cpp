#include "support/task_guest.h"

#include <algorithm>
#include <stdexcept>

#include "kernel/arch/x86_64/memory_map.h"
#include "kernel/find/running_kernel.h"
#include "kernel/memory/kernel_image.h"
#include "support/bytes.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t large_page = 0x200000;

// Where in the guest's RAM its parts are.
constexpr std::uint64_t ram_size = 0x1400000;
constexpr GuestPhysical page_tables{0x100000};
constexpr GuestPhysical image{0x400000};  // text; data one large page behind it
constexpr GuestPhysical heap{0x800000};
constexpr std::uint64_t heap_size = 4 * large_page;
constexpr GuestPhysical module_space{0x1000000};
constexpr std::uint64_t module_space_size = 2 * large_page;

constexpr GuestVirtual text = TaskGuest::linked_text + TaskGuest::kaslr_offset;
constexpr GuestVirtual data = text + large_page;
constexpr GuestVirtual direct_map{0xffff888000000000 + heap.value};

constexpr std::uint64_t banner_place = 0x100;  // in the data

}  // namespace

void MadeTypes::add(const std::string& name, std::uint64_t size,
                    const std::vector<MadeMember>& members) {
  std::vector<MemberLayout> layouts;
  for (const MadeMember& member : members) {
    layouts.push_back({member.name, member.offset, member.size, 0, 0, member.type});
  }
  layouts_.insert_or_assign(name, StructLayout(name, size, std::move(layouts)));
}

const StructLayout* MadeTypes::find_struct(std::string_view name) const {
  const auto found = layouts_.find(name);
  return found == layouts_.end() ? nullptr : &found->second;
}

std::optional<GuestVirtual> MadeSymbols::find_symbol(std::string_view name) const {
  const auto found = std::find_if(list_.begin(), list_.end(),
                                  [&](const auto& line) { return line.first == name; });
  return found == list_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<SymbolPlace> MadeSymbols::find_place(GuestVirtual address) const {
  NearestSymbol nearest(address);
  for (const auto& [name, at] : list_) nearest.offer(at, name);
  return nearest.place();
}

void MadeSymbols::for_each_symbol(const SymbolVisit& visit) const {
  for (const auto& [name, at] : list_) visit(name, at, SymbolBinding::Global);
}

TaskGuest::TaskGuest(const std::string& release)
    : memory_(std::make_unique<FakeMemory>(ram_size)),
      tables_(std::make_unique<PageTableBuilder>(*memory_, page_tables, PagingLevels::Four)),
      banner_{"Linux version " + release + " (test) #1 SMP", release} {
  tables_->map(text, image, 2);
  tables_->map(data, image + large_page, 2);
  for (std::uint64_t at = 0; at < heap_size; at += large_page) {
    tables_->map(direct_map + at, heap + at, 2);
  }
  for (std::uint64_t at = 0; at < module_space_size; at += large_page) {
    tables_->map(module_begin + at, module_space + at, 2);
  }
  symbol("_text", linked_text);
  symbol("_stext", linked_text);
  symbol("_etext", linked_text + text_size);
  symbol("linux_banner", linked_text + large_page + banner_place);
  write_text(data + banner_place, banner_.text + "\n");
  types_.add(made_types_);
  add_task_types();
}

void TaskGuest::add_task_types() {
  type("task_struct", task_at::size,
       {{"__state", task_at::state, 4},
        {"stack", task_at::stack},
        {"flags", task_at::flags, 4},
        {"on_cpu", task_at::on_cpu, 4},
        {"cpu", task_at::cpu, 4},
        {"sched_info", task_at::last_arrival, 16, "sched_info"},
        {"se", task_at::exec_start, 8, "sched_entity"},
        {"tasks", task_at::tasks, 16},
        {"exit_state", task_at::exit_state, 4},
        {"pid", task_at::pid, 4},
        {"tgid", task_at::tgid, 4},
        {"real_parent", task_at::real_parent},
        {"pid_links", task_at::pid_links, 64},
        {"thread_node", task_at::thread_node, 16},
        {"start_time", task_at::start_time},
        {"comm", task_at::comm, 16},
        {"signal", task_at::signal},
        {"pi_blocked_on", task_at::pi_blocked_on},
        {"blocked_on", task_at::blocked_on},
        {"blocker", task_at::blocker},
        {"thread", task_at::sp - 24, 64, "thread_struct"}});
  type("thread_struct", 64, {{"sp", 24}});
  type("sched_info", 16, {{"last_arrival", 0}, {"last_queued", 8}});
  type("sched_entity", 8, {{"exec_start", 0}});
  type("signal_struct", 64, {{"thread_head", 16, 16}});
}

GuestVirtual TaskGuest::function(const std::string& name, std::uint64_t size) {
  const GuestVirtual begin = linked_text + next_function_;
  next_function_ += size;
  if (next_function_ > text_size) throw std::logic_error("the test's text is full");
  symbol(name, begin);
  return begin + kaslr_offset;
}

GuestVirtual TaskGuest::variable(const std::string& name, std::uint64_t size) {
  const GuestVirtual begin = linked_text + large_page + next_variable_;
  next_variable_ += (size + 15) / 16 * 16;
  if (next_variable_ > large_page) throw std::logic_error("the test's data are full");
  symbol(name, begin);
  return begin + kaslr_offset;
}

GuestVirtual TaskGuest::allocate(std::uint64_t size, std::uint64_t alignment) {
  next_free_ = (next_free_ + alignment - 1) / alignment * alignment;
  const GuestVirtual begin = direct_map + next_free_;
  next_free_ += size;
  if (next_free_ > heap_size) throw std::logic_error("the test's memory is full");
  return begin;
}

void TaskGuest::write_to_memory(GuestVirtual at, std::string_view bytes) {
  const KernelMemory memory(*memory_, tables_->tables());
  const auto place = memory.translate(at);
  if (!place) throw std::logic_error(fmt::format("the test writes to {}, which is not mapped", at));
  memory_->write_text(*place, bytes);
}

GuestVirtual TaskGuest::module_page(bool is_code) {
  constexpr std::uint64_t page_size = 0x1000;
  const GuestVirtual in_direct_map = allocate(page_size, page_size);
  // With a hole behind it, as vmalloc leaves one.
  const GuestVirtual page = module_begin + module_space_size + 2 * page_size * module_pages_++;
  tables_->map(page, heap + (in_direct_map - direct_map), 1,
               is_code ? pte_present : pte_present | pte_writable | pte_no_execute);
  return page;
}

void TaskGuest::write(GuestVirtual at, std::uint64_t value, std::size_t width) {
  write_to_memory(at, little_endian(value, width));
}

void TaskGuest::write_text(GuestVirtual at, std::string_view text) {
  write_to_memory(at, std::string(text) + '\0');
}

void TaskGuest::write_bytes(GuestVirtual at, const std::vector<unsigned>& bytes) {
  std::string text;
  for (const unsigned byte : bytes) text += static_cast<char>(byte);
  write_to_memory(at, text);
}

GuestVirtual TaskGuest::write_words(GuestVirtual at, const std::vector<std::uint64_t>& words) {
  for (const std::uint64_t word : words) {
    write(at, word);
    at = at + 8;
  }
  return at;
}

std::uint64_t TaskGuest::read(GuestVirtual at, std::size_t width) const {
  return KernelMemory(*memory_, tables_->tables()).read_unsigned(at, width).value();
}

std::uint64_t TaskGuest::call(GuestVirtual caller, std::uint64_t offset, GuestVirtual callee) {
  const GuestVirtual behind = caller + offset;
  write({behind.value - 5}, 0xe8, 1);
  write({behind.value - 4}, callee - behind, 4);
  return behind.value;
}

std::uint64_t TaskGuest::indirect_call(GuestVirtual caller, std::uint64_t offset) {
  const GuestVirtual behind = caller + offset;
  write_bytes({behind.value - 2}, {0xff, 0xd0});  // call *%rax
  return behind.value;
}

void TaskGuest::begin_list(GuestVirtual head) {
  write(head, head);
  write(head + 8, head);
}

void TaskGuest::append(GuestVirtual head, GuestVirtual node) {
  const GuestVirtual last{read(head + 8)};
  write(last, node);
  write(node, head);
  write(node + 8, last);
  write(head + 8, node);
}

MadeTask TaskGuest::make_task(std::int32_t pid, std::int32_t tgid, const std::string& comm) {
  MadeTask made;
  made.address = init_task_ ? allocate(task_at::size, 64) : variable("init_task", task_at::size);
  made.stack = allocate(kernel_stack_size, kernel_stack_size);
  write(made.address + task_at::state, 1, 4);
  write(made.address + task_at::pid, static_cast<std::uint64_t>(pid), 4);
  write(made.address + task_at::tgid, static_cast<std::uint64_t>(tgid), 4);
  write_text(made.address + task_at::comm, comm);
  write(made.address + task_at::stack, made.stack);
  write(made.address + task_at::real_parent, init_task_.value_or(made).address);
  return made;
}

MadeTask TaskGuest::task(std::int32_t pid, const std::string& comm) {
  const MadeTask made = make_task(pid, pid, comm);
  const GuestVirtual link = made.address + task_at::tasks;
  if (init_task_) {
    append(init_task_->address + task_at::tasks, link);
  } else {
    begin_list(link);
    init_task_ = made;
  }
  const GuestVirtual signal = allocate(64);
  begin_list(signal + 16);
  append(signal + 16, made.address + task_at::thread_node);
  write(made.address + task_at::signal, signal);
  return made;
}

MadeTask TaskGuest::thread(const MadeTask& leader, std::int32_t pid, const std::string& comm) {
  const auto tgid = static_cast<std::int32_t>(read(leader.address + task_at::pid, 4));
  const MadeTask made = make_task(pid, tgid, comm);
  const GuestVirtual signal{read(leader.address + task_at::signal)};
  append(signal + 16, made.address + task_at::thread_node);
  write(made.address + task_at::signal, signal);
  return made;
}

void TaskGuest::save_frame(const MadeTask& task, GuestVirtual sp, std::uint64_t bp,
                           std::uint64_t ip) {
  write(task.address + task_at::sp, sp);
  write(sp + 40, bp);
  write(sp + 48, ip);
}

void TaskGuest::write_registers(GuestVirtual at, std::uint64_t ip, std::uint64_t sp,
                                std::uint64_t bp, std::uint16_t cs) {
  write(at + 32, bp);
  write(at + 128, ip);
  write(at + 136, cs);
  write(at + 144, 0x246);
  write(at + 152, sp);
  write(at + 160, 0x18);
}

void TaskGuest::orc(const std::vector<OrcLine>& lines, const std::string& header_hash) {
  const GuestVirtual addresses = variable("__start_orc_unwind_ip", lines.size() * 4);
  symbol("__stop_orc_unwind_ip", {addresses.value - kaslr_offset + lines.size() * 4});
  const GuestVirtual entries = variable("__start_orc_unwind", lines.size() * 6);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const GuestVirtual at = addresses + i * 4;
    write(at, lines[i].address - at, 4);
    const GuestVirtual entry = entries + i * 6;
    write(entry, static_cast<std::uint16_t>(lines[i].sp_offset), 2);
    write(entry + 2, static_cast<std::uint16_t>(lines[i].bp_offset), 2);
    write(entry + 4, lines[i].bits, 2);
  }
  if (header_hash.empty()) return;
  const GuestVirtual header = variable("orc_header", 20);
  for (std::size_t i = 0; i < 20; ++i) {
    write(header + i, std::stoul(header_hash.substr(2 * i, 2), nullptr, 16), 1);
  }
}

const GuestKernel& TaskGuest::kernel() {
  if (!kernel_) {
    const RunningKernel running{{{banner_, data + banner_place}},
                                std::make_shared<const KernelImage>(*memory_, tables_->tables()),
                                std::nullopt,
                                {}};
    kernel_.emplace(GuestKernel::attach(running, symbols_, diagnostics_));
  }
  return *kernel_;
}

}  // namespace photon_dmesg::test
