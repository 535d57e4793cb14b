#include "checkpoint/vmware/tag_file.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/bytes.h"
#include "support/checkpoint_builder.h"
#include "support/errors.h"

namespace photon_dmesg::test {
namespace {

std::vector<CheckpointTag> tags_of(const TagFile& file, std::string_view group) {
  std::vector<CheckpointTag> tags;
  file.for_each_tag(group, [&](const CheckpointTag& tag) { tags.push_back(tag); });
  return tags;
}

// A file with everything that a tag can be.
std::string varied_file(std::uint32_t magic = 0xbed2bed2, std::size_t length_width = 8) {
  return checkpoint_file(
      {{"Checkpoint", inline_tag("memSize", {}, 512)},
       {"cpu", inline_tag("rip", {1}, 0xffffffff81000000, 8) +
                   inline_tag("CR64", {1, 3}, 0x1000, 8) + inline_tag("deep", {1, 2, 3}, 7, 1) +
                   block_tag("gpregs", {0}, std::string(128, 'g'), {63, length_width, 3}) +
                   inline_tag("last", {}, 9)},
       {"memory", region_tags({{0, 0, 16}})}},
      magic);
}

void read_all_tags(const ByteSource& source) {
  const TagFile file(source);
  for (const TagFile::Group& group : file.groups()) (void)tags_of(file, group.name);
}

}  // namespace

TEST_CASE("TagFile: groups and tags come out as they were written") {
  const std::string bytes = varied_file();
  const BufferSource source("vm.vmss", as_bytes(bytes));
  const TagFile file(source);
  REQUIRE(file.groups().size() == 3);
  CHECK(file.groups()[1].name == "cpu");
  const std::vector<CheckpointTag> tags = tags_of(file, "cpu");
  REQUIRE(tags.size() == 5);
  CHECK(tags[0].name == "rip");
  CHECK(tags[0].indices == std::vector<std::uint32_t>{1});
  CHECK(file.value_of(tags[0]) == 0xffffffff81000000);
  CHECK(file.value_of(tags[1]) == 0x1000);
  CHECK(tags[2].indices == std::vector<std::uint32_t>{1, 2, 3});
  CHECK(file.value_of(tags[2]) == 7);
  CHECK(tags[3].encoding == CheckpointTag::Encoding::PlainBlock);
  CHECK(tags[3].value_size == 128);
  CHECK(bytes.substr(tags[3].value_offset, 128) == std::string(128, 'g'));
  CHECK(file.value_of(tags[4]) == 9);
}

TEST_CASE("TagFile: every magic is taken, with lengths as wide as it says") {
  for (const vmware::Magic& magic : vmware::magics) {
    CAPTURE(magic.value);
    const std::string bytes = varied_file(magic.value, static_cast<std::size_t>(magic.lengths));
    const BufferSource source("vm.vmss", as_bytes(bytes));
    CHECK(tags_of(TagFile(source), "cpu").size() == 5);
  }
}

TEST_CASE("TagFile: another magic is refused with what was found") {
  const std::string bytes = varied_file(0x12345678);
  const BufferSource source("vm.vmss", as_bytes(bytes));
  CHECK(find_checkpoint_magic(source) == nullptr);
  check_fails(Failure::UnusableInput, "expected a magic such as 0xbed2bed2, found 0x12345678",
              [&] { const TagFile file(source); });
}

TEST_CASE("TagFile: the header of an encrypted machine is named as such") {
  const BufferSource source("vm.vmss", as_bytes("\x9e\xdd\x43\x89 and more"));
  check_fails(Failure::UnusableInput, "vm.vmss: a file of an encrypted virtual machine",
              [&] { refuse_encrypted(source); });
  const BufferSource plain("vm.vmss", as_bytes("\x9e\xdd"));
  CHECK_NOTHROW(refuse_encrypted(plain));
}

TEST_CASE("TagFile: a file cut at any byte is refused, never misread") {
  const std::string whole = varied_file();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    const std::string cut = whole.substr(0, length);
    const BufferSource source("vm.vmss", as_bytes(cut));
    check_fails(Failure::UnusableInput, "truncated", [&] { read_all_tags(source); });
  }
}

TEST_CASE("TagFile: what lies in front of a cut can be read") {
  const std::string whole =
      checkpoint_file({{"cpu", inline_tag("a", {}, 1)}, {"last", inline_tag("b", {}, 2)}});
  const std::string cut = whole.substr(0, whole.size() - 1);
  const BufferSource source("vm.vmss", as_bytes(cut));
  const TagFile file(source);
  CHECK(tags_of(file, "cpu").size() == 1);
  CHECK(file.groups().back().truncated);
  check_fails(Failure::UnusableInput, "truncated: expected the group \"last\"",
              [&] { (void)tags_of(file, "last"); });
}

TEST_CASE("TagFile: a group cut at any byte is refused at the tag that runs out of it") {
  // The table says a group ends inside a tag; the file itself goes on.
  const std::string tags = inline_tag("rip", {1}, 1, 8) + block_tag("gpregs", {0}, "block");
  for (std::size_t length = 1; length < tags.size(); ++length) {
    const bool between_tags = length == inline_tag("rip", {1}, 1, 8).size();
    const std::string bytes = checkpoint_file({{"cpu", tags.substr(0, length), false}}) +
                              tags.substr(length) + std::string(64, '\0');
    const BufferSource source("vm.vmss", as_bytes(bytes));
    const TagFile file(source);
    CAPTURE(length);
    if (between_tags) {
      CHECK(tags_of(file, "cpu").size() == 1);
    } else {
      check_fails(Failure::UnusableInput, "group \"cpu\": truncated",
                  [&] { (void)tags_of(file, "cpu"); });
    }
  }
}

TEST_CASE(
    "TagFile: of a group that is cut off, tags come as far as they are there if that will do") {
  const std::string bytes = varied_file();
  const BufferSource whole("vm.vmss", as_bytes(bytes));
  const std::vector<CheckpointTag> tags = tags_of(TagFile(whole), "cpu");
  const std::uint64_t block = tags[3].value_offset;
  for (const std::uint64_t left : {std::uint64_t{0}, std::uint64_t{1}, tags[3].value_size}) {
    const BufferSource source("vm.vmss", as_bytes(bytes).first(block + left));
    std::vector<std::string> names;
    TagFile(source).for_each_tag(
        "cpu", [&](const CheckpointTag& tag) { names.push_back(tag.name); },
        Completeness::NotRequired);
    CHECK(names == std::vector<std::string>{"rip", "CR64", "deep", "gpregs"});
  }
}

TEST_CASE("TagFile: a table of more groups than the file can hold is refused") {
  std::string bytes = varied_file();
  bytes.replace(8, 4, little_endian(0xffffffff, 4));
  const BufferSource source("vm.vmss", as_bytes(bytes));
  check_fails(Failure::UnusableInput, "a table of 4294967295 groups",
              [&] { const TagFile file(source); });
}

TEST_CASE("TagFile: a group whose position or size overflows is refused") {
  for (const std::size_t field : std::initializer_list<std::size_t>{12 + 64, 12 + 72}) {
    std::string bytes = varied_file();
    bytes.replace(field, 8, little_endian(~std::uint64_t{0} - 1, 8));
    const BufferSource source("vm.vmss", as_bytes(bytes));
    check_fails(Failure::UnusableInput, "the group \"Checkpoint\"", [&] { read_all_tags(source); });
  }
}

TEST_CASE("TagFile: a block whose length overflows is refused") {
  const std::string tag = tag_head(63, "Memory", {0, 0}) + little_endian(~std::uint64_t{0}, 8) +
                          little_endian(~std::uint64_t{0}, 8) + little_endian(0, 2);
  const std::string bytes = checkpoint_file({{"memory", tag}});
  const BufferSource source("vm.vmss", as_bytes(bytes));
  const TagFile file(source);
  check_fails(Failure::UnusableInput, "truncated", [&] { (void)tags_of(file, "memory"); });
}

TEST_CASE("TagFile: names may be 0 or 255 bytes long and hold any byte") {
  const std::string longest(255, '\xff');
  const std::string bytes = checkpoint_file(
      {{"odd", inline_tag(longest, {}, 1) + inline_tag("", {5}, 2) + inline_tag("x", {}, 3)}});
  const BufferSource source("vm.vmss", as_bytes(bytes));
  const std::vector<CheckpointTag> tags = tags_of(TagFile(source), "odd");
  REQUIRE(tags.size() == 3);
  CHECK(tags[0].name == longest);
  CHECK(tags[1].name.empty());
}

TEST_CASE("TagFile: a group name that fills its field needs no NUL") {
  const std::string name(64, 'n');
  const std::string bytes = checkpoint_file({{name, inline_tag("x", {}, 3)}});
  const BufferSource source("vm.vmss", as_bytes(bytes));
  const TagFile file(source);
  CHECK(file.groups().front().name == name);
  CHECK(tags_of(file, name).size() == 1);
}

TEST_CASE("TagFile: groups come in any order, twice, or of unknown name") {
  const std::string bytes = checkpoint_file({{"MKSVMX", block_tag("imageData", {}, "png")},
                                             {"cpu", inline_tag("a", {}, 1)},
                                             {"Snapshot", ""},
                                             {"cpu", inline_tag("b", {}, 2)}});
  const BufferSource source("vm.vmss", as_bytes(bytes));
  const std::vector<CheckpointTag> tags = tags_of(TagFile(source), "cpu");
  REQUIRE(tags.size() == 2);
  CHECK(tags[0].name == "a");
  CHECK(tags[1].name == "b");
}

TEST_CASE("TagFile: a group of size 0 goes on to its end mark") {
  std::string bytes = checkpoint_file({{"cpu", inline_tag("a", {}, 1)}});
  bytes.replace(12 + 72, 8, little_endian(0, 8));
  const BufferSource source("vm.vmss", as_bytes(bytes));
  CHECK(tags_of(TagFile(source), "cpu").size() == 1);
}

TEST_CASE("TagFile: a value of more than 8 bytes is no number") {
  const std::string bytes = checkpoint_file({{"cpu", tag_head(9, "x", {}) + "123456789"}});
  const BufferSource source("vm.vmss", as_bytes(bytes));
  const TagFile file(source);
  check_fails(Failure::UnusableInput, "tag \"x\"",
              [&] { (void)file.value_of(tags_of(file, "cpu").front()); });
}

TEST_CASE("TagFile: more groups than any product writes are left out, and said") {
  constexpr std::uint32_t most = 1 << 16;
  std::string bytes =
      little_endian(0xbed2bed2, 4) + little_endian(8, 4) + little_endian(most + 1, 4);
  bytes.resize(bytes.size() + (most + 1) * 80, '\0');
  const BufferSource source("vm.vmss", as_bytes(bytes));
  const TagFile file(source);
  CHECK(file.groups().size() == most);
  CollectedDiagnostics diagnostics;
  file.warn_if_cut(diagnostics);
  CHECK(diagnostics.warnings() ==
        std::vector<std::string>{"vm.vmss: more than 65536 groups: the rest is left out"});
}

TEST_CASE("TagFile: groups that share their tags don't multiply them without end") {
  // 64 groups of one and the same 100,000 tags.
  constexpr unsigned groups = 64;
  constexpr unsigned tags = 100'000;
  std::string bytes = little_endian(0xbed2bed2, 4) + little_endian(8, 4) + little_endian(groups, 4);
  for (unsigned i = 0; i < groups; ++i) {
    bytes += "cpu" + std::string(61, '\0') + little_endian(12 + groups * 80, 8) +
             little_endian(tags * 3, 8);
  }
  for (unsigned i = 0; i < tags; ++i) bytes += tag_head(0, "x", {});
  const BufferSource source("vm.vmss", as_bytes(bytes));
  const TagFile file(source);
  CHECK(tags_of(file, "cpu").size() == 1 << 20);
  CollectedDiagnostics diagnostics;
  file.warn_if_cut(diagnostics);
  REQUIRE(diagnostics.warnings().size() == 1);
  CHECK_THAT(diagnostics.warnings()[0], Catch::Contains("more than 1048576 tags"));
}

}  // namespace photon_dmesg::test
