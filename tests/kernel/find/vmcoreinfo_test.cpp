#include "kernel/find/vmcoreinfo.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "kernel/find/running_kernel.h"
#include "support/fixture_guest.h"

namespace photon_dmesg::test {
namespace {

const std::string release = "6.1.10-1.ph5";

// What the fixture's kernel would say of itself.
std::string text_of(const FixtureGuest& guest) {
  return fmt::format(
             "OSRELEASE={}\nBUILD-ID=00ff\nPAGESIZE=4096\nSYMBOL(init_uts_ns)={:x}\n"
             "SYMBOL(_stext)={:x}\nSYMBOL(prb)={:x}\nSIZE(printk_info)=88\n"
             "OFFSET(printk_info.seq)=0\nCONFIG_X86_PAE=y\nNUMBER(phys_base)=-1000\nKERNELOFFSET={:"
             "x}\n",
             release, guest.address("init_uts_ns").value, guest.address("_text").value,
             guest.address("prb").value, FixtureGuest::kaslr_offset) +
         '\0';
}

KernelImage image_of(FixtureGuest& guest) {
  const auto running = find_running_kernel(guest.memory(), {guest.vcpu()}, guest.diagnostics());
  REQUIRE(running);
  return {guest.memory(), running->tables()};
}

std::optional<Vmcoreinfo> find(FixtureGuest& guest) {
  return find_vmcoreinfo(image_of(guest), release, guest.diagnostics());
}

}  // namespace

TEST_CASE("VMCOREINFO: lines come apart, with addresses and numbers of either sign") {
  const FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  const auto info = Vmcoreinfo::parse(text_of(guest));
  REQUIRE(info);
  CHECK(info->release() == release);
  CHECK(info->symbol("prb") == guest.address("prb"));
  CHECK_FALSE(info->symbol("log_buf"));
  CHECK(info->kaslr_offset() == FixtureGuest::kaslr_offset);
  CHECK(info->number("phys_base") == std::uint64_t{0} - 1000);
  CHECK(info->entries().at("SIZE(printk_info)") == "88");
}

TEST_CASE("VMCOREINFO: what only looks like it is none") {
  const std::string good = text_of(FixtureGuest(PRINTK_RINGBUFFER_KERNEL));
  CHECK(Vmcoreinfo::parse(good));
  CHECK_FALSE(Vmcoreinfo::parse(""));
  CHECK_FALSE(Vmcoreinfo::parse(good.substr(0, good.size() - 1)));     // without its end
  CHECK_FALSE(Vmcoreinfo::parse(good.substr(0, 60) + '\0'));           // cut in the middle
  CHECK_FALSE(Vmcoreinfo::parse("OSRELEASE=%s\n" + good.substr(23)));  // a format string
  CHECK_FALSE(Vmcoreinfo::parse("OSRELEASE=1\nnot a line\n" + good));  // other text
  CHECK_FALSE(Vmcoreinfo::parse(std::string("OSRELEASE=6.1\nPAGESIZE=1\n") + '\0'));
}

TEST_CASE("VMCOREINFO: found by the kernel's pointer to its page") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  guest.memory().write_text(guest.at("init_top_pgt"), text_of(guest));  // any page will do
  guest.set("vmcoreinfo_data", guest.address("init_top_pgt").value);
  const auto info = find(guest);
  REQUIRE(info);
  CHECK(info->symbol("prb") == guest.address("prb"));
  CHECK(read_vmcoreinfo(image_of(guest).memory(), guest.address("vmcoreinfo_data")));
}

TEST_CASE("VMCOREINFO: found where it is a variable itself, up to 4.12") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  guest.memory().write_text(guest.at("vmcoreinfo_data"), text_of(guest));
  CHECK(find(guest));
  CHECK(read_vmcoreinfo(image_of(guest).memory(), guest.address("vmcoreinfo_data")));
}

TEST_CASE("VMCOREINFO: a stale one, of another kernel or another place, is refused") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  std::string text = text_of(guest);
  SECTION("of another release") {
    text.replace(text.find(release), release.size(), "6.1.11-1.ph5");
  }
  SECTION("of an earlier boot, when init_uts_ns was elsewhere") {
    const std::string address = fmt::format("{:x}", guest.address("init_uts_ns").value);
    text.replace(text.find(address), address.size(), "ffffffff9a000000");
  }
  guest.memory().write_text(guest.at("vmcoreinfo_data"), text);
  CHECK_FALSE(find(guest));
}

}  // namespace photon_dmesg::test
