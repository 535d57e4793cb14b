#include "checkpoint/vmware/packed_memory.h"

#include <catch2/catch.hpp>

#include "checkpoint/vmware/fastlz.h"
#include "support/errors.h"
#include "support/memory_pages.h"
#include "support/packed_memory_builder.h"

namespace photon_dmesg::test {
namespace {

std::string unpack(const FastlzWriter& writer, const std::string& before = "", bool zeros = false) {
  std::string target(writer.text().size(), '?');
  const std::string packed = writer.packed();
  const FastlzResult result = unpack_fastlz(as_bytes(packed), as_bytes(before), zeros,
                                            std::as_writable_bytes(std::span(target)));
  if (result == FastlzResult::NeedsBefore) return "needs before";
  return result == FastlzResult::Damaged ? "damaged" : target;
}

std::string read_all(const ByteSource& source) {
  std::string text(source.size(), '\0');
  source.read_at(0, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace

TEST_CASE("unpack_fastlz: literals, near and far matches, long ones, overlapping ones") {
  FastlzWriter writer;
  writer.literals(std::string(100, 'a') + "bcdef").match(3, 5).match(8, 1).match(9, 2);
  writer.match(300, 7).match(265, 100).literals(numbered_pages(20));
  writer.match(12, 8191).match(12, 8192).match(12, 8193).match(700, 73727);
  CHECK(unpack(writer) == writer.text());
}

TEST_CASE("unpack_fastlz: references may reach in front, where that is known") {
  const std::string before = "0123456789";
  FastlzWriter writer(before);
  writer.literals("x").match(6, 11);
  CHECK(unpack(writer) == "needs before");
  CHECK(unpack(writer, before) == "x012345");
  CHECK(unpack(writer, "", true) == std::string("x\0\0\0\0\0\0", 7));
}

TEST_CASE("unpack_fastlz: damage never leads out of either buffer") {
  FastlzWriter writer;
  writer.literals("abcdefgh").match(40, 3).match(9, 8);
  const std::string packed = writer.packed();
  for (std::size_t length = 0; length < packed.size(); ++length) {
    CAPTURE(length);
    std::string target(writer.text().size(), '\0');
    const std::string cut = packed.substr(0, length);
    CHECK(unpack_fastlz(as_bytes(cut), {}, false, std::as_writable_bytes(std::span(target))) ==
          FastlzResult::Damaged);
  }
  std::string small(3, '\0');
  CHECK(unpack_fastlz(as_bytes(packed), {}, false, std::as_writable_bytes(std::span(small))) ==
        FastlzResult::Damaged);
}

TEST_CASE("PackedMemory: packed and stored blocks make one flat memory") {
  const FastlzWriter first = full_block("first");
  std::string stored = numbered_pages(block_size / page);
  const std::string file = packed_block(first.packed(), block_size) +
                           packed_block(stored, block_size) + packed_block("the end", 7);
  REQUIRE(is_packed_memory(BufferSource("vm.vmem", as_bytes(file))));
  const PackedMemory memory(std::make_unique<BufferSource>("vm.vmem", as_bytes(file)));
  CHECK(memory.size() == 2 * block_size + 7);
  CHECK(read_all(memory) == first.text() + stored + "the end");
}

TEST_CASE("PackedMemory: a block may refer to the one before it, however it is come upon") {
  const FastlzWriter first = full_block("zero one two ");
  FastlzWriter second(first.text());
  second.literals("second").match(20, 26).match(block_size - 26, 8000);
  FastlzWriter third(first.text() + second.text());
  third.literals("third").match(50, 30);
  const std::string file = packed_block(first.packed(), block_size) +
                           packed_block(second.packed(), block_size) +
                           packed_block(third.packed(), third.text().size());
  const PackedMemory memory(std::make_unique<BufferSource>("vm.vmem", as_bytes(file)));
  std::string end(third.text().size(), '\0');
  memory.read_at(2 * block_size, std::as_writable_bytes(std::span(end)));
  CHECK(end == third.text());
  CHECK(read_all(memory) == first.text() + second.text() + third.text());
}

TEST_CASE("PackedMemory: damage is refused by the block's number") {
  const FastlzWriter first = full_block("first");
  const std::string begin = packed_block(first.packed(), block_size);
  const auto open = [](const std::string& file) {
    return std::make_unique<PackedMemory>(
        std::make_unique<BufferSource>("vm.vmem", as_bytes(file)));
  };
  const std::string oversized = begin + packed_block("xxxxxxxx", block_size + 1);
  check_fails(Failure::UnusableInput, "vm.vmem: packed block 1", [&] { (void)open(oversized); });
  const std::string garbage = begin + packed_block("\x20x\xff\xff\xff", 100);
  check_fails(Failure::UnusableInput, "vm.vmem: packed block 1 at offset", [&] {
    const auto memory = open(garbage);
    (void)read_all(*memory);
  });
}

TEST_CASE("PackedMemory: one that is cut short ends with its last whole block") {
  const FastlzWriter first = full_block("first");
  const std::string begin = packed_block(first.packed(), block_size);
  const std::string file = begin + packed_block(first.packed(), block_size);
  for (const std::size_t cut : {std::size_t{1}, first.packed().size() - 1}) {
    CAPTURE(cut);
    CollectedDiagnostics diagnostics;
    const std::string bytes = file.substr(0, file.size() - cut);
    const auto memory =
        unpack_memory(std::make_unique<BufferSource>("vm.vmem", as_bytes(bytes)), diagnostics);
    CHECK(memory->size() == block_size);
    REQUIRE(diagnostics.warnings().size() == 1);
    CHECK_THAT(diagnostics.warnings()[0], Catch::Contains("vm.vmem: incomplete: it ends within"));
  }
  CollectedDiagnostics diagnostics;
  CHECK(unpack_memory(std::make_unique<BufferSource>("vm.vmem", as_bytes(file)), diagnostics)
            ->size() == 2 * block_size);
  CHECK(diagnostics.warnings().empty());
}

TEST_CASE("is_packed_memory: plain memory is not taken for it") {
  const std::string zeros(2 * block_size, '\0');
  CHECK_FALSE(is_packed_memory(BufferSource("vm.vmem", as_bytes(zeros))));
  const std::string pages = numbered_pages(64);
  CHECK_FALSE(is_packed_memory(BufferSource("vm.vmem", as_bytes(pages))));
  // The first words are those of a block by chance.
  const std::string chance = packed_block("", 100).replace(8, 4, little_endian(16, 4)) + pages;
  CHECK_FALSE(is_packed_memory(BufferSource("vm.vmem", as_bytes(chance))));
}

TEST_CASE("packed memory: a block that would be more than can be packed into it is damage") {
  std::string bytes = little_endian(block_size, 4) + little_endian(0, 4) + little_endian(9, 4) +
                      little_endian(0, 4) + std::string(9, 'x');
  CHECK_FALSE(is_packed_memory(BufferSource("vm.vmem", as_bytes(bytes + bytes))));
}

}  // namespace photon_dmesg::test
