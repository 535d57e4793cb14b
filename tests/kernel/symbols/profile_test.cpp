#include "kernel/symbols/profile.h"

#include <catch2/catch.hpp>

#include "kernel/symbols/vmlinux/vmlinux.h"
#include "support/bytes.h"
#include "support/errors.h"
#include "support/fixture_guest.h"
#include "support/open_vmlinux.h"
#include "support/profile_writer.h"
#include "support/without_types.h"

namespace photon_dmesg::test {
namespace {

std::unique_ptr<Profile> read(const std::string& text) {
  return Profile::read(BufferSource("profile.json", as_bytes(text)));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("profile: one of version 1 is read as it was written, member for member") {
  for (const char* kernel : {PRINTK_RINGBUFFER_KERNEL, PRINTK_LOG_KERNEL, STRUCT_LOG_KERNEL}) {
    CAPTURE(kernel);
    const auto vmlinux = open_vmlinux(kernel);
    const std::string text = json_profile(*vmlinux);
    CHECK(is_profile(BufferSource("profile.json", as_bytes(text))));
    const auto profile = read(text);
    for (const char* symbol : {"linux_banner", "_text", "phys_base", "prb", "log_first_idx"}) {
      CHECK(profile->find_symbol(symbol) == vmlinux->find_symbol(symbol));
    }
    CHECK(profile->build_id() == vmlinux->build_id());
    for (const char* name : {"printk_info", "prb_desc_ring", "printk_log", "log"}) {
      CAPTURE(name);
      const StructLayout* expected = vmlinux->find_struct(name);
      const StructLayout* found = profile->find_struct(name);
      REQUIRE((found == nullptr) == (expected == nullptr));
      if (expected == nullptr) continue;
      CHECK(found->size() == expected->size());
      for (const MemberLayout& member : expected->members()) {
        CHECK(found->member(member.name).offset == member.offset);
        CHECK(found->member(member.name).size == member.size);
        CHECK(found->member(member.name).bit_shift == member.bit_shift);
        CHECK(found->member(member.name).bit_width == member.bit_width);
      }
    }
  }
}

TEST_CASE("profile: it proves the kernel by its banner as vmlinux does") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  guest.set("log_buf", guest.address("__log_buf").value);
  CHECK(guest.read_log(*read(json_profile(guest.vmlinux()))).records.empty());
  const auto other = open_vmlinux(PRINTK_RINGBUFFER_KERNEL);
  check_fails(Failure::Mismatch, "not the guest's kernel",
              [&] { (void)guest.read_log(*read(json_profile(*other))); });
}

TEST_CASE("profile: symbols without types, banner and build-id make one too") {
  const auto vmlinux = open_vmlinux(PRINTK_RINGBUFFER_KERNEL);
  const auto profile = read(json_profile(LikeSystemMap(*vmlinux)));
  CHECK(profile->find_symbol("prb") == vmlinux->find_symbol("prb"));
  CHECK(profile->find_struct("printk_info") == nullptr);
  CHECK_FALSE(profile->banner_bytes());
  CHECK_FALSE(profile->build_id());
}

TEST_CASE("profile: a damaged one is refused by name, wherever it is cut") {
  const std::string whole = json_profile(*open_vmlinux(PRINTK_RINGBUFFER_KERNEL));
  for (std::size_t length = 0; length + 2 < whole.size(); length += 37) {
    CAPTURE(length);
    check_fails(Failure::UnusableInput, "profile.json: damaged profile",
                [&] { (void)read(whole.substr(0, length)); });
  }
}

TEST_CASE("profile: numbers that make no sense are refused") {
  const std::string whole = json_profile(*open_vmlinux(PRINTK_RINGBUFFER_KERNEL));
  check_fails(Failure::UnusableInput, "expected a profile of version 1, found version 2",
              [&] { (void)read(replaced(whole, "\"version\": 1", "\"version\": 2")); });
  check_fails(Failure::UnusableInput, "expected an address (0x...), found \"ffff\"", [&] {
    (void)read(replaced(whole, "\"_text\": \"0xffffffff81000000\"", "\"_text\": \"ffff\""));
  });
  for (const char* odd : {"-1", "1.5", "-1.5e300", "1e300", "\"8\"", "18446744073709551616"}) {
    check_fails(Failure::UnusableInput, "\"offset\": expected a whole number", [&] {
      (void)read(replaced(whole, "\"offset\": 0", std::string("\"offset\": ") + odd));
    });
  }
  check_fails(Failure::UnusableInput, "leaves the",
              [&] { (void)read(replaced(whole, "\"offset\": 8", "\"offset\": 8888")); });
  check_fails(Failure::UnusableInput, "bits from bit",
              [&] { (void)read(replaced(whole, "\"bit_width\": 5", "\"bit_width\": 55")); });
}

TEST_CASE("profile: layouts that something else must bear out are forgotten without it") {
  const auto vmlinux = open_vmlinux(PRINTK_RINGBUFFER_KERNEL);
  const auto profile = read(json_profile(*vmlinux));
  const auto is_another = [](const StructLayout& layout) { return layout.name() != "printk_info"; };
  CHECK(profile->forget_structs_unless(is_another) == std::vector<std::string>{"printk_info"});
  CHECK(profile->find_struct("printk_info") == nullptr);
  CHECK(profile->find_struct("prb_desc") != nullptr);
}

}  // namespace photon_dmesg::test
