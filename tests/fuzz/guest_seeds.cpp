#include <elf.h>
#include <fmt/format.h>

#include <array>
#include <cstddef>

#include "fuzz/seeds.h"
#include "fuzz/small_guest.h"
#include "fuzz/task_world.h"
#include "kernel/arch/x86_64/memory_map.h"
#include "support/btf_writer.h"
#include "support/elf_core_builder.h"
#include "support/kallsyms_writer.h"
#include "support/log_writer.h"
#include "support/page_table_builder.h"
#include "support/ring_writer.h"
#include "support/timekeeper_writer.h"

namespace photon_dmesg::fuzz {
namespace {

using test::little_endian;

SmallGuest empty_guest() {
  const std::vector<std::byte> room(0x6000);
  return SmallGuest(room);
}

// The bits of what is known to the log target (targets/log.cpp).
constexpr unsigned ring = 1;
constexpr unsigned types = 2;
constexpr unsigned sequence = 4;
constexpr unsigned static_buffer = 8;
constexpr unsigned unlogged = 16;
constexpr unsigned console_seq = 32;
constexpr unsigned timekeeper = 64;

std::string log_seed(unsigned known, unsigned variant, const SmallGuest& guest) {
  return little_endian(known, 1) + little_endian(variant, 1) + guest.content();
}

using SmallRingWriter = test::RingWriterInto<SmallGuest>;

// A ring that wraps, with records of every kind.
void fill(SmallRingWriter& writer) {
  for (unsigned i = 0; i < 20; ++i)
    writer.store(fmt::format("record {} {}", i, std::string(i, '.')));
  writer.store("with a dictionary", {.subsystem = "usb", .device = "c189:1"});
  writer.store("who called", {.caller_id = 0x80000001});
  writer.store("unfinished", {.state = test::Committed, .flags = 0});
  writer.store("shorter", {.text_length = 200});
  writer.store_without_block(test::empty_line);
}

void publish(SmallRingWriter& writer, SmallGuest& guest, std::uint64_t data_ring_offset) {
  writer.data_ring_offset = data_ring_offset;
  guest.set("printk_rb_static", std::uint64_t{4});
  guest.memory().write_value(guest.at("printk_rb_static") + data_ring_offset, std::uint64_t{9});
  writer.publish();
}

void make_rings(const PutSeed& put) {
  for (const std::uint64_t data_ring_offset : {48U, 40U}) {
    SmallGuest guest = empty_guest();
    SmallRingWriter writer(guest);
    fill(writer);
    publish(writer, guest, data_ring_offset);
    const std::string name = data_ring_offset == 48 ? "ring" : "ring-5-10";
    const unsigned variant = data_ring_offset == 48 ? 0 : 1;
    put("log", name, log_seed(ring, variant, guest));
    put("log", name + "-types", log_seed(ring | types, variant, guest));
    put("log", name + "-static", log_seed(ring | static_buffer, variant, guest));
  }
}

void write_buffers(SmallGuest& guest) {
  test::FakeMemory& memory = guest.memory();
  guest.set("logbuf_lock", std::uint32_t{1});
  guest.set("nr_cpu_ids", std::uint32_t{2});
  memory.write_value(guest.at("__per_cpu_offset") + 8, std::uint64_t{0x40});
  memory.write_text(guest.at("textbuf"),
                    "\x01"
                    "3half a mess");
  const std::string text =
      "\x01"
      "4NMI backtrace\n\x01"
      "cCPU: 1\nunfinished";
  for (const char* buffer : {"safe_print_seq", "nmi_print_seq"}) {
    guest.set(buffer, static_cast<std::uint32_t>(text.size()));
    memory.write_text(guest.at(buffer) + 32, text);
  }
  constexpr std::uint64_t line = 992;
  memory.write_text(guest.at("cont"), "waits for its end");
  memory.write_value(guest.at("cont") + line, std::uint64_t{17});
  memory.write_value(guest.at("cont") + line + 16, std::uint64_t{0xffff888003001980});
  memory.write_value(guest.at("cont") + line + 24, std::uint64_t{123456789});
  memory.write_value(guest.at("cont") + line + 32, std::uint8_t{4});
}

void write_consoles(SmallGuest& guest) {
  guest.set("console_drivers", guest.address("consoles").value);
  guest.set("console_list", guest.address("consoles").value + 104);
  guest.memory().write_value(guest.at("consoles") + 72, std::uint16_t{4});
  guest.memory().write_value(guest.at("consoles") + 88, std::uint64_t{9});
}

void write_log(SmallGuest& guest, unsigned records, std::size_t buffer = 1024,
               std::size_t header = test::header_bytes) {
  test::LogWriter writer(header);
  writer.buffer.resize(buffer);
  writer.store({0, 0, 5, "Linux version 4.4.8", ""});
  writer.store({1000, 3, 6, "a driver", std::string("SUBSYSTEM=usb\0DEVICE=c189:1", 26)});
  for (unsigned number = 2; number < records; ++number) {
    writer.store(test::numbered_message(number));
  }
  writer.publish(guest);
  guest.set("log_buf_len", static_cast<std::uint32_t>(buffer));
}

void make_logs(const PutSeed& put) {
  for (const unsigned records : {8U, 100U}) {
    SmallGuest guest = empty_guest();
    write_log(guest, records);
    const std::string name = records == 8 ? "records" : "records-wrapped";
    put("log", name, log_seed(sequence | console_seq, 0, guest));
    put("log", name + "-types", log_seed(sequence | types, 0, guest));
    put("log", name + "-by-records", log_seed(0, 0, guest));
    write_buffers(guest);
    write_consoles(guest);
    for (const unsigned known : {0U, types}) {
      put("log", name + (known == 0 ? "-unlogged" : "-unlogged-types"),
          log_seed(known | sequence | unlogged, 4, guest));
    }
  }
  SmallGuest callers = empty_guest();
  write_log(callers, 100, 1024, 24);
  put("log", "records-with-callers", log_seed(sequence | types, 1, callers));
  SmallGuest moved = empty_guest();
  write_log(moved, 8);
  // The static buffer keeps what the larger one has lost.
  std::vector<std::byte> buffer(1024);
  (void)moved.memory().read(moved.at("__log_buf"), buffer);
  moved.memory().write(moved.at("larger_buffer"), buffer);
  moved.set("log_buf", moved.address("larger_buffer").value);
  put("log", "records-moved", log_seed(sequence | static_buffer, 0, moved));
}

void make_clocks(const PutSeed& put) {
  int number = 0;
  for (const TimekeeperLayout& layout : known_timekeeper_layouts()) {
    SmallGuest guest = empty_guest();
    write_log(guest, 8);
    test::timekeeper::write_timekeeper(guest, guest.at("tk_core") + 8, layout);
    guest.set("__gtod_offset", std::int64_t{-4711});
    guest.set("vmware_cyc2ns", std::uint32_t{827'189'033});
    put("log", fmt::format("clock-{}", number++), log_seed(sequence | timekeeper, 0, guest));
  }
}

std::vector<test::KallsymsSample> some_symbols(std::uint64_t text, bool per_cpu) {
  std::vector<test::KallsymsSample> symbols;
  if (per_cpu) symbols.push_back({'A', 0x1000, "a_per_cpu_variable"});
  symbols.push_back({'T', text, "_text"});
  symbols.push_back({'T', text, "_stext"});
  constexpr unsigned functions = 520;  // no table has fewer than 500 symbols
  for (unsigned i = 0; i < functions; ++i) {
    symbols.push_back({'t', text + 0x100 + i * 4, "fu" + std::to_string(i)});
  }
  symbols.push_back({'T', text + 0x1000, "_etext"});
  symbols.push_back({'d', text + 0x100000, "prb"});
  return symbols;
}

// Of a kernel, and of a module beside it.
void make_btf(const PutSeed& put) {
  using test::BtfKind;
  test::BtfWriter kernel;
  const auto number = kernel.integer("unsigned int", 4);
  const auto head =
      kernel.structure("head", 16, {{"next", kernel.pointer(number)}, {"task", 9, 64}});
  const auto inner =
      kernel.structure("", 8, {{"anonymous", number}, {"other", number}}, BtfKind::Union);
  const auto alias = kernel.add(BtfKind::Typedef, "head_t", kernel.add(BtfKind::Const, "", head));
  const auto pair = kernel.array(alias, 2);
  kernel.enumeration("state", {{"READY", 1}, {"FAILED", -1}}, true);
  kernel.structure("task", 64,
                   {{"list", pair, 0},
                    {"", inner, 256},
                    {"flag", number, 325, 3},
                    {"older", kernel.bits(4, 3, 2), 352}});
  kernel.enumeration64("wide", {{"WIDE", std::uint64_t{1} << 40}});
  kernel.add(BtfKind::Typedef, "loop_t", 13);
  const std::string bytes = kernel.write();
  test::BtfWriter module(kernel);
  module.structure("device", 24, {{"list", head, 0}, {"state", number, 128}});
  put("btf", "kernel", little_endian(bytes.size(), 2) + bytes);
  put("btf", "module", little_endian(bytes.size(), 2) + bytes + module.write());
}

void make_kallsyms(const PutSeed& put) {
  constexpr GuestVirtual place{0xffffffff82000000};
  int number = 0;
  for (const test::KallsymsForm& form : test::kallsyms_forms) {
    const auto symbols = some_symbols(test::kernel_begin, form.per_cpu);
    const std::string table = test::KallsymsWriter(form, symbols, place).write("");
    put("kallsyms", fmt::format("form-{}", number++), little_endian(1, 1) + table);
  }
}

void write_banner(SmallGuest& guest) {
  guest.memory().write_text(guest.at("linux_banner"), std::string(SmallGuest::banner) + '\0');
  guest.memory().write_text(guest.at("init_uts_ns") + 4 + 130, "6.1.10-1.ph5");
}

// Two records: of a ring that is found by its form, which has more descriptors than the writer's.
void write_found_ring(SmallGuest& guest) {
  write_banner(guest);
  test::FakeMemory& memory = guest.memory();
  constexpr std::uint64_t first_id = 32;  // its slot is the first
  for (std::uint64_t i = 0; i < 2; ++i) {
    const test::Descriptor descriptor{std::uint64_t{test::Finalized} << 62 | (first_id + i),
                                      512 + 16 * i, 512 + 16 * (i + 1)};
    memory.write_value(guest.at("_printk_rb_static_descs") + i * sizeof(descriptor), descriptor);
    const test::Info info{100 + i, 1000, 4, 0, 6 << 5, 0, {}, {}};
    memory.write_value(guest.at("_printk_rb_static_infos") + i * sizeof(info), info);
    memory.write_value(guest.at("__log_buf") + 16 * i, first_id + i);
    memory.write_text(guest.at("__log_buf") + 16 * i + 8, i == 0 ? "zero" : "one!");
  }
  const std::array<std::uint64_t, 6> descriptors = {5,
                                                    guest.address("_printk_rb_static_descs").value,
                                                    guest.address("_printk_rb_static_infos").value,
                                                    first_id + 1,
                                                    first_id,
                                                    0};
  const std::array<std::uint64_t, 4> data = {9, guest.address("__log_buf").value, 512 + 32, 512};
  guest.set("printk_rb_static", descriptors);
  memory.write_value(guest.at("printk_rb_static") + sizeof(descriptors), data);
  guest.set("prb", guest.address("printk_rb_static").value);
}

// What the kernel says of itself for dumps, where its variable leads; and a crash-dump kernel,
// whose command line leads to a note with the same.
void make_selves_by_vmcoreinfo(const PutSeed& put) {
  SmallGuest guest = empty_guest();
  write_found_ring(guest);
  const std::string info = fmt::format(
      "OSRELEASE=6.1.10-1.ph5\nPAGESIZE=4096\nSYMBOL(init_uts_ns)={:x}\nSYMBOL(_stext)={:x}\n"
      "SYMBOL(prb)={:x}\nSYMBOL(swapper_pg_dir)={:x}\nNUMBER(phys_base)={}\nKERNELOFFSET=0\n",
      guest.address("init_uts_ns").value, guest.address("_text").value, guest.address("prb").value,
      x86_64::linked_text.value, -0x1000000);
  guest.memory().write_text(guest.at("free_space"), info + '\0');
  guest.set("vmcoreinfo_data", guest.address("free_space").value);
  put("self", "vmcoreinfo", guest.content());

  guest.set("saved_command_line", guest.address("textbuf").value);
  const GuestPhysical header = guest.at("free_space") + 0x800;
  guest.memory().write_text(guest.at("textbuf"),
                            fmt::format("quiet elfcorehdr={} ", header) + '\0');
  std::string core = test::elf_core({}, test::elf_note("VMCOREINFO", 0, info));
  constexpr std::size_t offset_place = sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_offset);
  core.replace(offset_place, 8,  // offsets are physical addresses
               little_endian((header + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr)).value, 8));
  guest.memory().write_text(header, core);
  put("self", "crash-kernel", guest.content());
}

void make_selves(const PutSeed& put) {
  SmallGuest by_table = empty_guest();
  write_found_ring(by_table);
  put("self", "ring", by_table.content());
  std::vector<test::KallsymsSample> symbols = some_symbols(x86_64::linked_text.value, false);
  symbols.back().address = by_table.address("prb").value;
  symbols.push_back({'D', by_table.address("linux_banner").value, "linux_banner"});
  by_table.memory().write_text(
      by_table.at("free_space"),
      test::KallsymsWriter(test::kallsyms_forms[7], symbols, by_table.address("free_space"))
          .write(""));
  put("self", "kallsyms", by_table.content());
}

// Records that tell by themselves where the log is: it has no less than 4096 bytes.
void make_self_by_records(const PutSeed& put) {
  SmallGuest guest = empty_guest();
  write_log(guest, 200, 4096);
  std::vector<std::byte> buffer(4096);
  (void)guest.memory().read(guest.at("__log_buf"), buffer);
  guest.memory().write(guest.at("free_space"), buffer);
  guest.memory().write(guest.at("__log_buf"), std::vector<std::byte>(buffer.size()));
  guest.set("log_buf", guest.address("free_space").value);
  write_banner(guest);
  put("self", "records", guest.content());
}

// Tasks in the image that show what they are made of, so that their types can be derived.
class SmallTasks {
 public:
  explicit SmallTasks(SmallGuest& guest) : guest_(guest) {
    add("swapper/0", 0, 0x200002, 0);
    add("init", 0, 0x400100);
    add("kthreadd", 0, 0x208040);
    add("rcu_preempt", 2, 0x208040);
    add("sh", 1, 0x400100);
    for (std::uint64_t i = 0; i < count_; ++i) {
      const std::uint64_t next = (i + 1) % count_;
      put(i, tasks, address(place_of(next) + tasks));
      put(next, tasks + 8, address(place_of(i) + tasks));
    }
  }

 private:
  // Members of a task, and of what it leads to.
  static constexpr std::uint64_t state = 24, stack = 32, flags = 44, tasks = 200, pid = 240,
                                 real_parent = 256, group_leader = 280, thread_node = 320,
                                 comm = 400, signal = 440, sp = 480, thread_head = 16;

  // No two have the same distance: what another task has there fits none.
  static std::uint64_t place_of(std::uint64_t index) {
    return 0x3000 + index * 0x300 + index * index * 64;
  }
  static std::uint64_t address(std::uint64_t place) { return x86_64::linked_text.value + place; }

  template <typename Value>
  void write(std::uint64_t place, Value value) {
    guest_.memory().write_value(SmallGuest::image_place + place, value);
  }
  void put(std::uint64_t index, std::uint64_t offset, std::uint64_t value) {
    write(place_of(index) + offset, value);
  }

  void add(std::string_view name, std::uint64_t parent, std::uint32_t of_kernel,
           std::uint32_t sleeps = 1) {
    const std::uint64_t i = count_++;
    const std::uint64_t own_stack = 0x6000 + i * 0x1000;
    const std::uint64_t own_signal = 0x5000 + i * 0x60;
    const std::uint64_t node = place_of(i) + thread_node;
    guest_.memory().write_text(SmallGuest::image_place + place_of(i) + comm, name);
    write(place_of(i) + state, sleeps);
    write(place_of(i) + flags, of_kernel);
    put(i, stack, address(own_stack));
    put(i, pid, i | i << 32);
    put(i, real_parent, address(place_of(parent)));
    put(i, real_parent + 8, address(place_of(parent)));
    put(i, group_leader, address(place_of(i)));
    put(i, sp, address(own_stack + 0xe00 + i * 8));
    put(i, signal, address(own_signal));
    for (const std::uint64_t link : {0U, 8U}) {
      write(node + link, address(own_signal + thread_head));
      write(own_signal + thread_head + link, address(node));
    }
    write(own_stack, std::uint64_t{0x57ac6e9d});
  }

  SmallGuest& guest_;
  std::uint64_t count_ = 0;
};

void make_self_with_tasks(const PutSeed& put) {
  const std::vector<std::byte> room(0xb000);
  SmallGuest guest(room);
  write_found_ring(guest);
  const SmallTasks tasks(guest);
  put("self", "tasks", guest.content());
}

void make_page_tables(const PutSeed& put) {
  // As targets/page_tables.cpp takes them: table, entry, value.
  const auto entry = [](unsigned table, unsigned index, std::uint64_t value) {
    return little_endian(table, 1) + little_endian(index, 2) + little_endian(value, 8);
  };
  constexpr std::uint64_t present = 3;
  const std::string address = little_endian(0xffffffff81000000, 8);
  const std::string four = entry(0, 511, 0x1000 | present) + entry(1, 510, 0x2000 | present) +
                           entry(2, 8, 0x3000 | present) + entry(3, 0, 0x4000 | present) +
                           entry(3, 1, 0x5000 | 1) + entry(2, 9, 0x200000 | present | 0x80) +
                           entry(3, 2, 0x6000 | present | std::uint64_t{1} << 63);
  put("page-tables", "four-levels", little_endian(0, 1) + address + four);
  const std::string five = entry(0, 511, 0x7000 | present) + entry(7, 511, 0x1000 | present) +
                           entry(1, 510, 0x2000 | present) + entry(2, 8, 0x3000 | present) +
                           entry(3, 0, 0x4000 | present) + entry(7, 272, 0 | present | 0x80);
  put("page-tables", "five-levels", little_endian(1, 1) + address + five);
  constexpr std::uint64_t encrypted = std::uint64_t{1} << 51;
  put("page-tables", "encrypted",
      little_endian(2, 1) + address + entry(0, 511, 0x1000 | present | encrypted) +
          entry(1, 510, 0x2000 | present | encrypted) +
          entry(2, 8, 0x200000 | present | 0x80 | encrypted));
  // arm64, pages of 4 KiB, 48 bits: an image that its own tables map, and a block of RAM.
  constexpr unsigned arm64 = 4;
  constexpr std::uint64_t page = 0x403;
  put("page-tables", "arm64",
      little_endian(arm64, 1) + little_endian(0xffff800008000000, 8) +
          entry(0, 256, 0x1000 | present) + entry(1, 0, 0x2000 | present) +
          entry(2, 64, 0x3000 | present) + entry(3, 0, 0 | page) + entry(3, 1, 0x5000 | page) +
          entry(0, 0, 0x6000 | present) + entry(6, 1, 0x40000000 | 0x401));
}

// What the input of the target of tasks begins with: a version, no frames told, and a vCPU in
// do_read on the stack of the first task.
std::string tasks_beginning(TaskWorld& world, std::size_t version, bool has_orc) {
  constexpr unsigned by_number = 1;
  constexpr unsigned in_function = 7;
  constexpr std::uint64_t do_read = 16;  // of its functions
  const GuestVirtual end = world.tasks().at(1).stack_end();
  std::string seed = little_endian(version | (has_orc ? 0x80U : 0U), 1) + little_endian(0, 1);
  seed += little_endian(in_function, 1) + little_endian(do_read | 0x2000, 2);
  for (unsigned i = 0; i < 16; ++i) {
    const std::uint64_t below = i == 4 ? 0x300 : 0xb8;
    seed += little_endian(by_number, 1) + little_endian(world.heap_number({end.value - below}), 2);
  }
  return seed;
}

void make_tasks(const PutSeed& put) {
  constexpr unsigned flipped = 4;
  for (std::size_t version = 0; version < TaskWorld::versions; ++version) {
    for (const bool has_orc : {false, true}) {
      if (has_orc && version < TaskWorld::first_with_orc) continue;
      TaskWorld& world = TaskWorld::of(version, has_orc);
      const std::string sound = tasks_beginning(world, version, has_orc);
      put("tasks", fmt::format("sound-{}{}", version, has_orc ? "-orc" : ""), sound);
      const test::MadeTask& task = world.tasks().at(2);
      const auto change = [&](const char* name, GuestVirtual place, const std::string& value,
                              unsigned how = 0) {
        put("tasks", fmt::format("{}-{}{}", name, version, has_orc ? "-orc" : ""),
            sound + little_endian(how, 1) + little_endian(world.heap_number(place), 2) + value);
      };
      const auto to_heap = [&](GuestVirtual place) {
        return little_endian(1, 1) + little_endian(world.heap_number(place), 2);
      };
      const GuestVirtual link = task.address + test::task_at::tasks;
      const std::string bit = little_endian(4, 1) + little_endian(64, 2);
      change("next-to-itself", link, to_heap(link));
      change("next-flipped", link, bit, flipped);
      change("other-stack", task.address + test::task_at::sp,
             to_heap(world.tasks().at(3).stack + 0x3c00));
      change("frame-to-itself", task.stack + 0x3c38, to_heap(task.stack + 0x3c38));
      change("ring-flipped", task.stack + 0x3d00, bit, flipped);
    }
  }
}

}  // namespace

void make_guest_seeds(const PutSeed& put) {
  make_rings(put);
  make_logs(put);
  make_clocks(put);
  make_btf(put);
  make_kallsyms(put);
  make_selves(put);
  make_selves_by_vmcoreinfo(put);
  make_self_by_records(put);
  make_self_with_tasks(put);
  make_page_tables(put);
  make_tasks(put);
}

}  // namespace photon_dmesg::fuzz
