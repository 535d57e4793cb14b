#include "kernel/memory/known_layouts.h"

#include <catch2/catch.hpp>

#include "kernel/symbols/vmlinux/vmlinux.h"
#include "support/open_vmlinux.h"

namespace photon_dmesg::test {
namespace {

// That `known` says of its members what the compiler says of them.
void check_agrees(const StructLayout& known, const StructLayout& compiled,
                  const std::vector<std::string_view>& members) {
  CAPTURE(known.name());
  CHECK(known.size() == compiled.size());
  for (const std::string_view name : members) {
    CAPTURE(name);
    const MemberLayout& expected = compiled.member(name);
    const MemberLayout& found = known.member(name);
    CHECK(found.offset == expected.offset);
    CHECK(found.size == expected.size);
    CHECK(found.bit_shift == expected.bit_shift);
    CHECK(found.bit_width == expected.bit_width);
  }
}

// What `layout` is with its size, or one of its members, somewhere else.
std::vector<StructLayout> altered(const StructLayout& layout) {
  std::vector<StructLayout> all = {{layout.name(), layout.size() + 8, layout.members()}};
  for (std::size_t i = 0; i < layout.members().size(); ++i) {
    std::vector<MemberLayout> members = layout.members();
    ++members[i].offset;
    all.emplace_back(layout.name(), layout.size() + 1, members);
    members[i] = layout.members()[i];
    members[i].name += "x";
    all.emplace_back(layout.name(), layout.size(), members);
  }
  return all;
}

}  // namespace

TEST_CASE("known layouts: those of every kernel are told from altered ones") {
  for (const char* kernel : {PRINTK_RINGBUFFER_KERNEL, PRINTK_RINGBUFFER_5_10_KERNEL,
                             PRINTK_RINGBUFFER_CONTEXT_KERNEL, PRINTK_LOG_KERNEL}) {
    const auto vmlinux = open_vmlinux(kernel);
    for (const char* name :
         {"printk_ringbuffer", "prb_desc_ring", "prb_data_ring", "prb_desc", "prb_data_blk_lpos",
          "printk_info", "dev_printk_info", "printk_log", "console", "cont"}) {
      CAPTURE(kernel, name);
      const StructLayout* layout = vmlinux->find_struct(name);
      if (layout != nullptr) CHECK(is_as_known(*layout));
    }
  }
  for (const KnownRingLayouts& known : known_ring_layouts()) {
    for (const StructLayout& layout : altered(known.layouts.info)) CHECK_FALSE(is_as_known(layout));
    for (const StructLayout& layout : altered(known.layouts.descriptor)) {
      CHECK_FALSE(is_as_known(layout));
    }
  }
  for (const StructLayout& layout : altered(known_printk_log_layout())) {
    CHECK_FALSE(is_as_known(layout));
  }
}

TEST_CASE("known layouts: printk_ringbuffer of 6.1 and later is what a compiler makes of it") {
  const auto kernel = open_vmlinux(PRINTK_RINGBUFFER_KERNEL);
  const RingLayouts& known = known_ring_layouts().front().layouts;
  check_agrees(known.ring, kernel->structure("printk_ringbuffer"),
               {"desc_ring", "text_data_ring", "fail"});
  check_agrees(known.descriptor_ring, kernel->structure("prb_desc_ring"),
               {"count_bits", "descs", "infos", "head_id", "tail_id"});
  check_agrees(known.data_ring, kernel->structure("prb_data_ring"),
               {"size_bits", "data", "head_lpos", "tail_lpos"});
  check_agrees(known.descriptor, kernel->structure("prb_desc"), {"state_var", "text_blk_lpos"});
  check_agrees(known.block, kernel->structure("prb_data_blk_lpos"), {"begin", "next"});
  check_agrees(
      known.info, kernel->structure("printk_info"),
      {"seq", "ts_nsec", "text_len", "facility", "flags", "level", "caller_id", "dev_info"});
  check_agrees(known.device_info, kernel->structure("dev_printk_info"), {"subsystem", "device"});
}

TEST_CASE("known layouts: printk_ringbuffer of 5.10 and with CONFIG_PRINTK_EXECUTION_CTX") {
  const auto older = open_vmlinux(PRINTK_RINGBUFFER_5_10_KERNEL);
  const RingLayouts& known_older = known_ring_layouts()[1].layouts;
  check_agrees(known_older.ring, older->structure("printk_ringbuffer"),
               {"desc_ring", "text_data_ring", "fail"});
  check_agrees(known_older.descriptor_ring, older->structure("prb_desc_ring"),
               {"count_bits", "descs", "infos", "head_id", "tail_id"});
  const auto newer = open_vmlinux(PRINTK_RINGBUFFER_CONTEXT_KERNEL);
  check_agrees(
      known_ring_layouts()[2].layouts.info, newer->structure("printk_info"),
      {"seq", "ts_nsec", "text_len", "facility", "flags", "level", "caller_id", "dev_info"});
}

TEST_CASE("known layouts: printk_log is what a compiler makes of it") {
  const auto kernel = open_vmlinux(PRINTK_LOG_KERNEL);
  check_agrees(known_printk_log_layout(), kernel->structure("printk_log"),
               {"ts_nsec", "len", "text_len", "dict_len", "facility", "flags", "level"});
}

}  // namespace photon_dmesg::test
