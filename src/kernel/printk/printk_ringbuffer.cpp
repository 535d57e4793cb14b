#include "kernel/printk/printk_ringbuffer.h"

#include <fmt/format.h>

#include <string>

#include "base/error.h"
#include "kernel/memory/known_layouts.h"
#include "kernel/printk/ring_reader.h"
#include "kernel/printk/static_records.h"

namespace photon_dmesg {
namespace {

// Nothing if the symbols come without types.
std::optional<RingLayouts> layouts_by_types(const KernelSymbols& symbols) {
  if (symbols.find_struct("printk_ringbuffer") == nullptr) {
    return std::nullopt;
  }
  return RingLayouts{symbols.structure("printk_ringbuffer"), symbols.structure("prb_desc_ring"),
                     symbols.structure("prb_data_ring"),     symbols.structure("prb_desc"),
                     symbols.structure("prb_data_blk_lpos"), symbols.structure("printk_info"),
                     symbols.structure("dev_printk_info")};
}

struct BestLayouts {
  const KnownRingLayouts* layouts = nullptr;
  RingWindow window;
  std::string failure;  // why it is none by the first that it is none by
};

// The known variant by which most of the ring's records are in their place: the first by which all
// are, as no other has more.
BestLayouts choose_ring_layouts(const KernelMemory& memory, GuestVirtual address, Budget& budget) {
  BestLayouts best;
  for (const KnownRingLayouts& known : known_ring_layouts()) {
    try {
      if (!budget.take(read_ring(memory, address, known.layouts).descriptor_count)) break;
      const RingWindow window = RingReader(memory, address, known.layouts).window();
      if (best.layouts == nullptr || window.records > best.window.records) {
        best.layouts = &known;
        best.window = window;
      }
      if (window.unanimous) break;
    } catch (const Error& error) {
      if (best.failure.empty()) best.failure = error.what();
    }
  }
  return best;
}

struct FoundLayouts {
  RingLayouts layouts;
  std::optional<RingWindow> window;  // if it has been looked for
};

FoundLayouts find_layouts(const GuestKernel& kernel, GuestVirtual address,
                          Diagnostics& diagnostics) {
  if (std::optional<RingLayouts> layouts = layouts_by_types(kernel.symbols())) {
    return {std::move(*layouts), std::nullopt};
  }
  Budget budget = ring_budget();  // which one ring does not exceed
  const auto& [known, window, failure] = choose_ring_layouts(kernel.memory(), address, budget);
  if (known == nullptr) {
    throw unusable(fmt::format(
        "printk_ringbuffer at {}: it has none of the known layouts ({}): if it is not damaged, "
        "types are needed, from the kernel's debuginfo package",
        address, failure));
  }
  diagnostics.found({.what = "layouts of printk_ringbuffer as in",
                     .value = std::string(known->versions),
                     .how = "of those known, its records fit these"});
  return {known->layouts, window};
}

class StoredRing : public StoredLog {
 public:
  // `window`: what an earlier reader found.
  StoredRing(const KernelMemory& memory, GuestVirtual address, RingLayouts layouts,
             std::optional<RingWindow> window = std::nullopt)
      : memory_(memory), address_(address), layouts_(std::move(layouts)) {
    const RingReader reader(memory_, address_, layouts_, window);
    ring_ = reader.ring();
    window_ = reader.window();
    next_seq_ = reader.next_seq();
  }

  [[nodiscard]] const Ring& ring() const { return ring_; }
  [[nodiscard]] const RingWindow& window() const { return window_; }
  [[nodiscard]] std::uint64_t next_seq() const override { return next_seq_; }

  void read_before(std::uint64_t end, const RecordSink& sink, KernelLog& result) const override {
    RingReader(memory_, address_, layouts_, window_).read_before(end, sink, result);
  }

 private:
  const KernelMemory& memory_;
  GuestVirtual address_;
  RingLayouts layouts_;
  Ring ring_;
  RingWindow window_;
  std::uint64_t next_seq_ = 0;
};

// The header's own ids, where the descriptors do not agree with them. `name`: of the ring.
void warn_of_contradiction(std::string_view name, const StoredRing& log, Diagnostics& diagnostics) {
  const Ring& ring = log.ring();
  const RingWindow& window = log.window();
  const auto warn = [&](std::string_view what, std::uint64_t said, std::string_view which,
                        std::uint64_t found) {
    if (said == found) return;
    diagnostics.warn_of_lack(fmt::format(
        "{}: {} is {:#x}, which contradicts its descriptors: by them the {} record has the id "
        "{:#x}; the log was read by the descriptors",
        name, what, said, which, found));
  };
  warn("tail_id", ring.tail_id, "oldest", window.tail_id);
  warn("head_id", ring.head_id, "newest", window.head_id);
}

// `log`, with what it has lost of the ring that the kernel used until it took a larger one, if it
// did.
std::unique_ptr<StoredLog> with_static_ring(std::unique_ptr<StoredLog> log,
                                            const GuestKernel& kernel, const RingLayouts& layouts,
                                            GuestVirtual in_use, Diagnostics& diagnostics) {
  const std::optional<GuestVirtual> address = kernel.find_address("printk_rb_static");
  if (!address || *address == in_use) return log;
  const auto open = [&] {
    auto ring = std::make_unique<StoredRing>(kernel.memory(), *address, layouts);
    warn_of_contradiction("printk_rb_static", *ring, diagnostics);
    return ring;
  };
  return with_beginning(std::move(log), {fmt::format("static ring at {}", *address), open},
                        diagnostics);
}

// Where the ring is: prb says so, unless it says the static one and the other has newer records,
// which it has only once the kernel has taken it.
GuestVirtual find_ring_in_use(const GuestKernel& kernel, Diagnostics& diagnostics) {
  const GuestVirtual said{kernel.variable("prb", sizeof(std::uint64_t))};
  const std::optional<GuestVirtual> other = kernel.find_address("printk_rb_dynamic");
  if (!other || said != kernel.find_address("printk_rb_static")) return said;
  Budget budget = ring_budget();
  const RingWindow later = find_ring_window(kernel.memory(), *other, budget);
  if (later.records == 0) return said;
  const RingWindow first = find_ring_window(kernel.memory(), said, budget);
  if (later.last_seq <= first.last_seq) return said;
  diagnostics.warn_of_lack(
      fmt::format("the variable prb says that the log is the ring of early boot at {}, but the one "
                  "that replaces it, at {}, has newer records: that was read",
                  said, *other));
  return *other;
}

}  // namespace

Budget ring_budget() {
  return {"descriptors of what looks like a printk_ringbuffer", std::uint64_t{1} << 28};
}

RingWindow find_ring_window(const KernelMemory& memory, GuestVirtual address, Budget& budget) {
  return choose_ring_layouts(memory, address, budget).window;
}

std::unique_ptr<StoredLog> open_printk_ringbuffer(const GuestKernel& kernel,
                                                  Diagnostics& diagnostics) {
  const GuestVirtual address = find_ring_in_use(kernel, diagnostics);
  const auto [layouts, window] = find_layouts(kernel, address, diagnostics);
  auto log = std::make_unique<StoredRing>(kernel.memory(), address, layouts, window);
  const Ring& ring = log->ring();
  warn_of_contradiction("printk_ringbuffer", *log, diagnostics);
  diagnostics.found({.what = "printk_ringbuffer at",
                     .value = fmt::format("{}", address),
                     .where = "log",
                     .how = fmt::format("the variable prb at {} says so; {} descriptors at {}, "
                                        "infos at {}, {} bytes of text at {}",
                                        kernel.address("prb"), ring.descriptor_count,
                                        ring.descriptors, ring.infos, ring.data_size, ring.data)});
  return with_static_ring(std::move(log), kernel, layouts, address, diagnostics);
}

}  // namespace photon_dmesg
