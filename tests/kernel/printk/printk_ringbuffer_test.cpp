#include "kernel/printk/printk_ringbuffer.h"

#include <fmt/format.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstring>

#include "base/error.h"
#include "support/errors.h"
#include "support/first_records.h"
#include "support/fixture_guest.h"
#include "support/ring_writer.h"
#include "support/without_types.h"

namespace photon_dmesg::test {
namespace {

std::vector<std::string> texts(const CollectedLog& log) {
  std::vector<std::string> result;
  for (const LogRecord& record : log.records) result.push_back(record.text);
  return result;
}

using Texts = std::vector<std::string>;

// The same guest, asked for a second ring, which has its place where the fixture's kernel has
// nothing.
class LargerRing {
 public:
  explicit LargerRing(FixtureGuest& guest) : guest_(guest) {
    constexpr std::uint32_t count_bits = 4;
    constexpr std::uint32_t size_bits = 9;
    guest_.memory().write_value(at("printk_rb_static"), count_bits);
    guest_.memory().write_value(at("printk_rb_static") + 48, size_bits);
  }

  [[nodiscard]] FakeMemory& memory() { return guest_.memory(); }
  [[nodiscard]] GuestPhysical at(std::string_view symbol) const {
    return guest_.at("vmcoreinfo_data") + offset(symbol);
  }
  [[nodiscard]] GuestVirtual address(std::string_view symbol) const {
    return guest_.address("vmcoreinfo_data") + offset(symbol);
  }
  void set(std::string_view symbol, std::uint64_t value) { guest_.set(symbol, value); }
  [[nodiscard]] CollectedLog read_log() { return guest_.read_log(); }

 private:
  static std::uint64_t offset(std::string_view symbol) {
    if (symbol == "printk_rb_static") return 0;
    if (symbol == "_printk_rb_static_descs") return 128;
    return symbol == "__log_buf" ? 512 : 1024;
  }

  FixtureGuest& guest_;
};

}  // namespace

TEST_CASE("printk_ringbuffer: records come out as they were stored") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  ring.store("Linux version 6.1.10");
  ring.store("pci device", {.facility = 3,
                            .level = 4,
                            .caller_id = 12,
                            .subsystem = "pci",
                            .device = "+pci:0000:00:1f.0"});
  ring.store("from an interrupt", {.caller_id = 0x80000003});
  const CollectedLog log = ring.read();
  CHECK(texts(log) == Texts{"Linux version 6.1.10", "pci device", "from an interrupt"});
  CHECK(log.losses.empty());
  const LogRecord& record = log.records[1];
  CHECK(record.seq == 1);
  CHECK(record.ts_nsec == 1000);
  CHECK(record.facility == 3);
  CHECK(record.level == 4);
  CHECK(record.caller->kind == LogCaller::Kind::Task);
  CHECK(record.caller->id == 12);
  CHECK(record.dictionary == std::vector<std::pair<std::string, std::string>>{
                                 {"SUBSYSTEM", "pci"}, {"DEVICE", "+pci:0000:00:1f.0"}});
  CHECK(log.records[2].caller->kind == LogCaller::Kind::Cpu);
  CHECK(log.records[2].caller->id == 3);
  CHECK(log.records[0].dictionary.empty());
}

TEST_CASE("printk_ringbuffer: a record that goes on with the line before says so") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  ring.store("one, ", {.flags = 0});
  ring.store("two", {.flags = 2 | 8});  // LOG_NEWLINE, LOG_CONT
  const CollectedLog log = ring.read();
  CHECK_FALSE(log.records.at(0).continues);
  CHECK(log.records.at(1).continues);
}

TEST_CASE("printk_ringbuffer: values that fill their array have no NUL") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  ring.store("x", {.subsystem = std::string(16, 's'), .device = std::string(48, 'd')});
  const CollectedLog log = ring.read();
  CHECK(log.records.at(0).dictionary[0].second == std::string(16, 's'));
  CHECK(log.records.at(0).dictionary[1].second == std::string(48, 'd'));
}

TEST_CASE("printk_ringbuffer: a block that wraps has its text at the ring's beginning") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  ring.head_lpos = ring.tail_lpos = data_size - 24;  // a block of 8 + 24 bytes does not fit
  ring.store("wrapped 1...9.11.13");
  CHECK(texts(ring.read()) == Texts{"wrapped 1...9.11.13"});
}

TEST_CASE("printk_ringbuffer: a block that ends at the boundary is read in either placement") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  ring.head_lpos = ring.tail_lpos = data_size - 24;
  const bool in_place = GENERATE(true, false);
  ring.store("exactly16bytes..", {.ends_at_boundary_without_wrap = in_place});
  ring.store("next");
  CHECK(texts(ring.read()) == Texts{"exactly16bytes..", "next"});
}

TEST_CASE("printk_ringbuffer: an empty line is a record, a lost text is a loss") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  ring.store("before");
  ring.store_without_block(empty_line);
  ring.store_without_block(failed, 20);
  ring.store("after");
  const CollectedLog log = ring.read();
  CHECK(texts(log) == Texts{"before", "", "", "after"});
  CHECK(log.records[1].state == LogRecord::State::Finished);
  CHECK(log.records[2].state == LogRecord::State::TextLost);
  CHECK(log.losses ==
        Texts{"1 record whose text the kernel has lost or overwritten (sequence number 2)"});
}

TEST_CASE("printk_ringbuffer: a block that belongs to another record is never shown") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  ring.store("its own");
  ring.store("recycled");
  ring.write_data(ring.descriptor(1).begin % data_size, 42, "another's");
  const CollectedLog log = ring.read();
  CHECK(texts(log) == Texts{"its own", ""});
  CHECK(log.records[1].state == LogRecord::State::TextLost);
  CHECK(log.losses.size() == 1);
}

TEST_CASE("printk_ringbuffer: every descriptor state is treated as what it is") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  ring.store("given up", {.state = Reusable});
  ring.store("finished");
  ring.store("reopened", {.state = Reserved});
  ring.store("", {.state = Reserved});
  ring.store("behind a writer");
  ring.store("no newline yet", {.state = Committed, .flags = 0});
  const CollectedLog log = ring.read();
  CHECK(texts(log) == Texts{"finished", "reopened", "behind a writer", "no newline yet"});
  CHECK(log.records[1].state == LogRecord::State::Reopened);
  CHECK(log.records[2].state == LogRecord::State::Finished);
  CHECK(log.records[3].state == LogRecord::State::Partial);
  CHECK(log.losses ==
        Texts{"1 record being written when the guest stopped, not in the log (sequence number 3)",
              "1 record marked as overwritten whose text is still there, not shown "
              "(sequence number 0)"});
}

TEST_CASE("printk_ringbuffer: a head that its writer has not filled yet is said to be missing") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  ring.store("finished");
  ring.store("to come");
  Descriptor head = ring.descriptor(1);
  head.state_var = ((head.state_var & id_mask) - count) & id_mask;  // still the slot's last record
  ring.set_descriptor(1, head);
  const CollectedLog log = ring.read();
  CHECK(texts(log) == Texts{"finished"});
  CHECK(log.losses.size() == 1);
}

TEST_CASE("printk_ringbuffer: the ring goes on over the wrap of ids and positions") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  for (int number = 0; number < 100; ++number) {
    ring.store(fmt::format("record {}", number));
  }
  const CollectedLog log = ring.read();
  REQUIRE(log.records.size() == 16);
  CHECK(log.records.front().text == "record 84");
  CHECK(log.records.back().text == "record 99");
  CHECK(log.records.back().seq == 99);
  CHECK(log.losses.empty());
}

TEST_CASE("printk_ringbuffer: one damaged record costs no other") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  for (const char* text : {"zero", "one", "two", "three"}) ring.store(text);
  const std::uint64_t victim = GENERATE(0U, 1U, 3U);
  CAPTURE(victim);
  SECTION("its sequence number") {
    Info info = ring.info(victim);
    info.seq += count * 1000;
    ring.set_info(victim, info);
    const CollectedLog log = ring.read();
    CHECK(log.records.size() == 3);
    CHECK(log.losses ==
          Texts{fmt::format("1 record with a damaged descriptor, not shown (sequence number {})",
                            victim)});
  }
  SECTION("its text length") {
    Info info = ring.info(victim);
    info.text_len = 60000;
    ring.set_info(victim, info);
    const CollectedLog log = ring.read();
    REQUIRE(log.records.size() == 4);
    CHECK(log.records[victim].state == LogRecord::State::Truncated);
    CHECK(log.records[victim].text.size() <= 8);
    CHECK(log.losses.size() == 1);
  }
  SECTION("its block's position") {
    Descriptor descriptor = ring.descriptor(victim);
    descriptor.begin += GENERATE(std::uint64_t{4}, data_size * 3, std::uint64_t{1} << 40);
    ring.set_descriptor(victim, descriptor);
    const CollectedLog log = ring.read();
    REQUIRE(log.records.size() == 4);
    CHECK(log.records[victim].state == LogRecord::State::TextLost);
    CHECK(log.losses.size() == 1);
  }
}

TEST_CASE("printk_ringbuffer: a header that can't be is refused") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  ring.store("x");
  const GuestPhysical header = guest.at("printk_rb_static");
  const auto set_u32 = [&](std::uint64_t offset, std::uint32_t value) {
    guest.memory().write_value(header + offset, value);
  };
  SECTION("no descriptors") {
    set_u32(0, 0);
  }
  SECTION("too many descriptors") {
    set_u32(0, 40);
  }
  SECTION("too much text") {
    set_u32(48, 63);
  }
  SECTION("more records than descriptors, and none of them is there") {
    ring.set_descriptor(0, {});
    ring.publish();
    guest.memory().write_value(header + 32, std::uint64_t{12345});
    CHECK_THROWS_AS(guest.read_log(), Error);
    return;
  }
  CHECK_THROWS_AS(ring.read(), Error);
}

TEST_CASE("printk_ringbuffer: a ring that is not mapped is refused") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  guest.set("prb", std::uint64_t{0xffff888000000000});
  CHECK_THROWS_WITH(guest.read_log(), Catch::Contains("0xffff888000000000"));
}

TEST_CASE("printk_ringbuffer: records given up behind one that is still there are reported") {
  // The kernel gives records up in the order of their text, so one without text outlives newer
  // ones.
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  ring.store("zero");
  ring.store_without_block(empty_line);
  for (int i = 0; i < 8; ++i) ring.store(fmt::format("{:60}", i));
  const CollectedLog log = ring.read();
  REQUIRE(log.records.size() == 7);
  CHECK(log.records[0].seq == 1);
  CHECK(log.records[1].seq == 4);
  REQUIRE(log.losses.size() == 1);
  CHECK(log.losses[0] ==
        "2 records that the kernel has overwritten, though it still has older ones (sequence "
        "numbers 2, 3)");
}

TEST_CASE("printk_ringbuffer: a damaged head_id or tail_id costs no record") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  const int stored = GENERATE(3, 9, 16, 17, 100);
  CAPTURE(stored);
  for (int i = 0; i < stored; ++i) ring.store(fmt::format("record {}", i));
  const CollectedLog sound = ring.read();
  const auto check = [&](std::uint64_t offset, std::uint64_t right) {
    const GuestPhysical place = guest.at("printk_rb_static") + offset;
    for (unsigned bit = 0; bit < 62; ++bit) {
      CAPTURE(offset, bit);
      const std::size_t said = guest.diagnostics().warnings().size();
      guest.memory().write_value(place, right ^ std::uint64_t{1} << bit);
      const CollectedLog log = guest.read_log();
      CHECK(texts(log) == texts(sound));
      CHECK(log.records.front().seq == sound.records.front().seq);
      CHECK(log.losses.size() + guest.diagnostics().warnings().size() > said);
    }
    guest.memory().write_value(place, right);
  };
  check(24, ring.head_id());
  check(32, ring.tail_id());
}

TEST_CASE("printk_ringbuffer: several processors may have an id and no descriptor yet") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  for (int i = 0; i < 5; ++i) ring.store(fmt::format("record {}", i));
  ring.publish();
  guest.memory().write_value(guest.at("printk_rb_static") + 24, ring.head_id() + 2);
  const CollectedLog log = guest.read_log();
  CHECK(log.records.size() == 5);
  CHECK(log.losses == Texts{"2 records being written when the guest stopped, not in the log "
                            "(sequence numbers 5, 6)"});
  CHECK(guest.diagnostics().warnings().empty());
}

TEST_CASE("printk_ringbuffer: texts being written are no more than the ring holds") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  ring.store("finished");
  // Each claims to reach to the ring's end.
  for (std::uint64_t seq = 1; seq < 12; ++seq) {
    ring.store("half", {.state = Reserved, .text_length = 0});
    Descriptor descriptor = ring.descriptor(seq);
    descriptor.next = 0;
    ring.set_descriptor(seq, descriptor);
  }
  const CollectedLog log = ring.read();
  CHECK(log.unlogged.size() == 1);
  CHECK(log.losses.size() == 2);
}

TEST_CASE("printk_ringbuffer: a contradiction between header and descriptors says both values") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  for (int i = 0; i < 30; ++i) ring.store(fmt::format("record {}", i));
  ring.publish();
  guest.memory().write_value(guest.at("printk_rb_static") + 24, ring.head_id() - 4);
  (void)guest.read_log();
  CHECK(guest.diagnostics().warnings() ==
        Texts{"printk_ringbuffer: head_id is 0x100000009, which contradicts its descriptors: by "
              "them the "
              "newest record has the id 0x10000000d; the log was read by the descriptors"});
}

TEST_CASE("printk_ringbuffer: a record marked as overwritten whose text is there is reported") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  for (const char* text : {"zero", "one", "two"}) ring.store(text);
  const std::uint64_t victim = GENERATE(0U, 1U, 2U);
  Descriptor descriptor = ring.descriptor(victim);
  descriptor.state_var |= std::uint64_t{Reusable} << 62;
  ring.set_descriptor(victim, descriptor);
  const CollectedLog log = ring.read();
  CHECK(log.records.size() == 2);
  CHECK(log.losses == Texts{fmt::format("1 record marked as overwritten whose text is "
                                        "still there, not shown (sequence number {})",
                                        victim)});
}

TEST_CASE("printk_ringbuffer: a text length that contradicts its block is reported") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  const bool printed = GENERATE(true, false);  // as later kernels do, or as 5.10
  const bool wrapped = GENERATE(true, false);
  CAPTURE(printed, wrapped);
  const int stored = wrapped ? 40 : 12;
  for (int i = 0; i < stored; ++i) {
    const std::string text = fmt::format("record {:06}", i);
    printed ? ring.print(text) : ring.store(text);
  }
  REQUIRE(ring.read().losses.empty());
  const std::uint64_t victim = static_cast<std::uint64_t>(stored) - 5;
  const Info sound = ring.info(victim);
  for (unsigned bit = 0; bit < 16; ++bit) {
    CAPTURE(bit);
    Info info = sound;
    info.text_len = static_cast<std::uint16_t>(sound.text_len ^ 1U << bit);
    ring.set_info(victim, info);
    // What can't be known: where a copied text ends among older text, and whether the copy of a
    // text's last two bytes, which stands where its prefix was, belongs to it.
    const bool hidden = printed ? bit == 1 : wrapped && bit < 3;
    const CollectedLog log = guest.read_log();
    if (!hidden) CHECK(log.losses.size() + log.doubts.size() == 1);
  }
}

TEST_CASE("printk_ringbuffer: without types, its layout shows in its memory") {
  struct Variant {
    const char* kernel;
    std::uint64_t data_ring_offset;
  };
  for (const auto& [kernel, offset] :
       {Variant{PRINTK_RINGBUFFER_KERNEL, 48}, Variant{PRINTK_RINGBUFFER_5_10_KERNEL, 40}}) {
    CAPTURE(kernel);
    FixtureGuest guest(kernel);
    RingWriter ring(guest);
    ring.data_ring_offset = offset;
    for (int i = 0; i < 9; ++i) ring.store(fmt::format("message {}", i));
    ring.publish();
    const CollectedLog log = guest.read_log(WithoutTypes(guest.vmlinux()));
    REQUIRE(log.records.size() == 9);
    CHECK(log.records.back().text == "message 8");
    CHECK(log.losses.empty());
  }
}

TEST_CASE("printk_ringbuffer: the layout is the one that fits all records, not the first few") {
  // CONFIG_PRINTK_EXECUTION_CTX: 20 bytes more in front of dev_info, and a longer stride.
  constexpr std::uint64_t stride = 112;
  constexpr std::uint64_t device_info = 44;
  for (const int records : {2, 3, 9}) {
    CAPTURE(records);
    FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
    RingWriter ring(guest);
    RingWriter::Options options;
    options.device = "a name that is as long as it can be, without an end";
    options.device.resize(48);
    for (int i = 0; i < records; ++i) ring.store(fmt::format("message {}", i), options);
    ring.publish();
    for (auto seq = static_cast<std::uint64_t>(records); seq-- > 0;) {
      const Info info = ring.info(seq);
      std::array<std::byte, stride> bytes{};
      std::memcpy(bytes.data(), &info, offsetof(Info, subsystem));
      std::memcpy(&bytes[device_info], &info.subsystem, sizeof(Info) - offsetof(Info, subsystem));
      guest.memory().write(guest.at("_printk_rb_static_infos") + seq * stride, bytes);
    }
    const CollectedLog log = guest.read_log(WithoutTypes(guest.vmlinux()));
    REQUIRE(log.records.size() == static_cast<std::size_t>(records));
    CHECK(log.records.back().text == fmt::format("message {}", records - 1));
    CHECK(log.losses.empty());
  }
}

TEST_CASE("printk_ringbuffer: a layout that is none of those known is refused") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  ring.store("message");
  ring.publish();
  guest.set("printk_rb_static", std::array<std::uint64_t, 11>{});
  check_fails(
      Failure::UnusableInput,
      "it has none of the known layouts (printk_ringbuffer: expected count_bits of 1 to 26, "
      "found 0): if it is not damaged, types are needed",
      [&] { (void)guest.read_log(WithoutTypes(guest.vmlinux())); });
}

TEST_CASE("printk_ringbuffer: the text of a reserved record is shown as far as it is good") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  ring.store("finished");
  SECTION("in the first lap, zeros stand behind what has been written") {
    ring.store(
        "\x01"
        "3half a mess",
        {.state = Reserved, .text_length = 0});
    const CollectedLog log = ring.read();
    REQUIRE(log.unlogged.size() == 1);
    CHECK(log.unlogged[0].source == UnloggedText::Source::Reserved);
    CHECK(log.unlogged[0].text == "half a mess");
    CHECK(log.unlogged[0].level == 3);
    CHECK(log.unlogged[0].seq == 1);
  }
  SECTION("a text that is all there, with its length, has no level or time yet") {
    const int before = GENERATE(2, 30);  // in the first lap, and later
    for (int i = 0; i < before; ++i) ring.store("a record of thirty-two bytes....");
    const auto without_text = static_cast<std::uint64_t>(before) + 1;
    ring.store_without_block(failed);  // of which all is zeros
    Info nothing = ring.info(without_text);
    nothing.ts_nsec = 0;
    ring.set_info(without_text, nothing);
    ring.store("all of a message", {.state = Reserved});
    Info info = ring.info(without_text + 1);
    info.ts_nsec = 0;
    ring.set_info(info.seq, info);
    const CollectedLog log = ring.read();
    CHECK(log.records.back().seq == info.seq - 1);
    REQUIRE(log.unlogged.size() == 1);
    CHECK(log.unlogged[0].text == "all of a message");
    CHECK(log.unlogged[0].seq == info.seq);
    CHECK(log.losses ==
          Texts{fmt::format("1 record being written when the guest stopped, not in the log "
                            "(sequence number {})",
                            info.seq),
                fmt::format("1 record whose text the kernel has lost or overwritten (sequence "
                            "number {})",
                            without_text)});
  }
  SECTION("later, what stands there may be an older record's") {
    for (int i = 0; i < 30; ++i) ring.store("a record of thirty-two bytes....");
    ring.store("half a mess", {.state = Reserved, .text_length = 0});
    CHECK(ring.read().unlogged.empty());
  }
}

TEST_CASE("printk_ringbuffer: what only the ring of early boot still has is recovered") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter early(guest);
  LargerRing larger(guest);
  RingWriterInto<LargerRing> later(larger);
  const auto in_early = GENERATE(6U, 12U);  // fewer than the later ring has lost, and more
  for (unsigned i = 0; i < 25; ++i) {
    if (i < in_early) early.store(fmt::format("record {}", i));
    later.store(fmt::format("record {}", i));
  }
  const unsigned first_in_later = 25 - count;
  early.publish();
  SECTION("undamaged, without a word") {
    const CollectedLog log = later.read();
    CHECK(log.records.size() == std::min(in_early, first_in_later) + count);
    CHECK(log.records[5].text == "record 5");
    CHECK(log.records[5].origin == LogRecord::Origin::StaticBuffer);
    CHECK(log.losses.empty());
    CHECK(log.doubts.empty());
    CHECK(guest.diagnostics().warnings().empty());
  }
  SECTION("without a record that is damaged, which is said") {
    Info info = early.info(3);
    info.seq += 1;
    early.set_info(3, info);
    const CollectedLog log = later.read();
    CHECK(log.records.size() == std::min(in_early, first_in_later) - 1 + count);
    CHECK(log.losses == Texts{"1 record with a damaged descriptor, not shown (sequence number 3)"});
  }
  SECTION("a record without its text, which is said") {
    early.write_data(early.descriptor(0).begin % data_size, 42, "another's");
    const CollectedLog log = later.read();
    CHECK(log.records.front().seq == 0);
    CHECK(log.records.front().state == LogRecord::State::TextLost);
    CHECK(log.losses.size() == 1);
  }
  SECTION("but for a header that can't be, which is said") {
    later.publish();
    guest.set("printk_rb_static", std::uint32_t{0});
    CHECK(guest.read_log().records.size() == count);
    REQUIRE(guest.diagnostics().warnings().size() == 1);
    CHECK_THAT(guest.diagnostics().warnings()[0],
               Catch::StartsWith("of the records before 9, which the log has lost, none is taken "
                                 "from the static ring at 0x"));
  }
  SECTION("by its descriptors, where its header's ids are damaged, which is said") {
    later.publish();
    guest.memory().write_value(guest.at("printk_rb_static") + 24, early.head_id() - 4);
    CHECK(guest.read_log().records.size() == std::min(in_early, first_in_later) + count);
    REQUIRE(guest.diagnostics().warnings().size() == 1);
    CHECK_THAT(guest.diagnostics().warnings()[0], Catch::StartsWith("printk_rb_static: head_id"));
  }
}

namespace {

// Those of a kernel with a larger ring, where LargerRing has its own.
class WithLargerRing final : public WithoutTypes {
 public:
  using WithoutTypes::WithoutTypes;
  [[nodiscard]] std::optional<GuestVirtual> find_symbol(std::string_view name) const override {
    return WithoutTypes::find_symbol(name == "printk_rb_dynamic" ? "vmcoreinfo_data" : name);
  }
};

}  // namespace

TEST_CASE(
    "printk_ringbuffer: a prb that still says the ring of early boot, which the log has left") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter early(guest);
  LargerRing larger(guest);
  RingWriterInto<LargerRing> later(larger);
  const auto in_later = GENERATE(0U, 5U, 10U, 25U);
  for (unsigned i = 0; i < 25; ++i) {
    if (i < 10) early.store(fmt::format("record {}", i));
    if (i < in_later) later.store(fmt::format("record {}", i));
  }
  later.publish();
  early.publish();
  const CollectedLog log = guest.read_log(WithLargerRing(guest.vmlinux()));
  if (in_later == 25) {
    CHECK(log.records.size() == 25);
    CHECK(log.records.back().text == "record 24");
    REQUIRE(guest.diagnostics().warnings().size() == 1);
    CHECK_THAT(guest.diagnostics().warnings()[0],
               Catch::StartsWith("the variable prb says that the log is the ring of early boot"));
  } else {  // the kernel is about to take it, or has none
    CHECK(log.records.size() == 10);
    CHECK(log.records[0].origin == LogRecord::Origin::Log);
    CHECK(guest.diagnostics().warnings().empty());
  }
}

TEST_CASE("printk_ringbuffer: damage of the ring of early boot where the log has its records") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter early(guest);
  LargerRing larger(guest);
  RingWriterInto<LargerRing> later(larger);
  for (unsigned i = 0; i < 20; ++i) {
    if (i < 10) early.store(fmt::format("record {}", i));
    later.store(fmt::format("record {}", i));
  }
  early.publish();
  Info info = early.info(7);
  info.seq += 1;
  early.set_info(7, info);
  const CollectedLog log = later.read();
  CHECK(log.records.size() == 20);
  CHECK(log.losses.empty());
}

TEST_CASE("printk_ringbuffer: who wants only the first records hears what is wrong with them") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  for (int i = 0; i < 10; ++i) ring.store(fmt::format("record {}", i));
  ring.publish();
  for (const std::uint64_t victim : {2U, 7U}) {
    Info info = ring.info(victim);
    info.seq += 1;
    ring.set_info(victim, info);
  }
  CHECK(read_first_records(guest, 2).losses.empty());
  CHECK(read_first_records(guest, 4).losses ==
        Texts{"1 record with a damaged descriptor, not shown (sequence number 2)"});
}

}  // namespace photon_dmesg::test
