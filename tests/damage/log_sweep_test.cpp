// Every bit of what the kernel keeps of its log, flipped one after the other. The tables are those
// of docs/reliability.md, which says what they mean; `unit-tests "[.tables]"` prints them.

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <iostream>

#include "damage/sweep.h"
#include "support/file_content.h"
#include "support/log_writer.h"
#include "support/ring_writer.h"

namespace photon_dmesg::test {
namespace {

std::vector<PhysicalRange> each(GuestPhysical begin, std::uint64_t stride, std::uint64_t times,
                                std::uint64_t offset, std::uint64_t size) {
  std::vector<PhysicalRange> ranges;
  for (std::uint64_t i = 0; i < times; ++i) ranges.push_back({begin + i * stride + offset, size});
  return ranges;
}

std::vector<Target> ring_regions(FixtureGuest& guest) {
  const GuestPhysical header = guest.at("printk_rb_static");
  const GuestPhysical descriptors = guest.at("_printk_rb_static_descs");
  const GuestPhysical infos = guest.at("_printk_rb_static_infos");
  return {
      {"`head_id`, `tail_id`", {{header + 24, 16}}},
      {"`count_bits`, `size_bits`", {{header, 4}, {header + 48, 4}}},
      {"`descs`, `infos`, `data`", {{header + 8, 16}, {header + 56, 8}}},
      {"`head_lpos`, `tail_lpos`", {{header + 64, 16}}},
      {"`prb`, the pointer to the ring", {{guest.at("prb"), 8}}},
      {"descriptors: state and id", each(descriptors, sizeof(Descriptor), count, 0, 8)},
      {"descriptors: begin and end of the text",
       each(descriptors, sizeof(Descriptor), count, 8, 16)},
      {"infos: sequence number", each(infos, sizeof(Info), count, 0, 8)},
      {"infos: length of the text", each(infos, sizeof(Info), count, 16, 2), true},
      {"infos: time", each(infos, sizeof(Info), count, 8, 8), true},
      {"infos: level, facility, flags, caller", each(infos, sizeof(Info), count, 18, 6), true},
      {"infos: device (of four)", each(infos, sizeof(Info), 4, 24, 64), true},
      {"texts and the ids before them", {{guest.at("__log_buf"), data_size}}, true},
  };
}

struct Ring {
  bool printed;
  int stored;
};

std::vector<Outcome> sweep_ring(const Ring& kind) {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  for (int i = 0; i < kind.stored; ++i) {
    const std::string text = fmt::format("record {:05}", i);
    kind.printed ? ring.print(text) : ring.store(text);
  }
  ring.publish();
  return sweep(guest, ring_regions(guest));
}

std::vector<Outcome> sweep_log(unsigned stored) {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  LogWriter writer;
  for (unsigned i = 0; i < stored; ++i) writer.store(numbered_message(i));
  writer.publish(guest);
  guest.set("console_seq", writer.next_seq);
  const GuestPhysical buffer = guest.at("__log_buf");
  Target lengths{"records: lengths", {}, true};
  Target values{"records: time, level, facility, flags", {}, true};
  std::uint32_t index = writer.first_index;
  for (std::size_t i = 0; i < std::min<std::size_t>(writer.kept.size(), 12); ++i) {
    if (writer.length_at(index) == 0) index = 0;
    lengths.ranges.push_back({buffer + index + 8, 6});
    values.ranges.push_back({buffer + index, 8});
    values.ranges.push_back({buffer + index + 14, 2});
    index += writer.length_at(index);
  }
  return sweep(guest, {{"`log_first_seq`", {{guest.at("log_first_seq"), 8}}},
                       {"`log_next_seq`", {{guest.at("log_next_seq"), 8}}},
                       {"`log_first_idx`", {{guest.at("log_first_idx"), 4}}},
                       {"`log_next_idx`", {{guest.at("log_next_idx"), 4}}},
                       {"`log_buf`", {{guest.at("log_buf"), 8}}},
                       {"`log_buf_len`", {{guest.at("log_buf_len"), 4}}},
                       lengths,
                       values});
}

struct Table {
  std::string title;
  std::vector<Outcome> outcomes;
};

std::vector<Table> all_tables() {
  return {{"After 5.10, the ring has wrapped", sweep_ring({true, 100})},
          {"After 5.10, in its first lap", sweep_ring({true, 9})},
          {"5.10, the ring has wrapped", sweep_ring({false, 100})},
          {"Until 5.9, the buffer has wrapped", sweep_log(300)},
          {"Until 5.9, in its first lap", sweep_log(20)}};
}

std::string section_of(const Table& table) {
  return fmt::format("### {}\n\n{}", table.title, to_table(table.outcomes));
}

}  // namespace

TEST_CASE("damage: the tables", "[.tables]") {
  for (const Table& table : all_tables()) std::cout << section_of(table) << '\n';
}

TEST_CASE("damage: no flipped bit of the log's structures is wrong in silence") {
  const std::string document =
      file_content(std::filesystem::path(SOURCE_FOLDER) / "docs/reliability.md");
  for (const Table& table : all_tables()) {
    CAPTURE(table.title);
    for (const Outcome& row : table.outcomes) {
      CAPTURE(row.what);
      CHECK(row.silent == 0);
    }
    // So that the document is what was found.
    const std::string section = section_of(table);
    INFO("expected in docs/reliability.md:\n" << section);
    CHECK(document.find(section) != std::string::npos);
  }
}

}  // namespace photon_dmesg::test
