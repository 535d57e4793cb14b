#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "support/fixture_guest.h"

namespace photon_dmesg::test {

// The ring of tests/kernel/fixtures/printk_ringbuffer_kernel.c.
inline constexpr std::uint64_t count = 16;
inline constexpr std::uint64_t data_size = 512;
inline constexpr std::uint64_t id_mask = (std::uint64_t{1} << 62) - 1;
inline constexpr std::uint64_t failed = 1;
inline constexpr std::uint64_t empty_line = 3;

enum State : std::uint64_t { Reserved, Committed, Finalized, Reusable };

struct Descriptor {
  std::uint64_t state_var;
  std::uint64_t begin;
  std::uint64_t next;
};

struct Info {
  std::uint64_t seq;
  std::uint64_t ts_nsec;
  std::uint16_t text_len;
  std::uint8_t facility;
  std::uint8_t flags_and_level;
  std::uint32_t caller_id;
  std::array<char, 16> subsystem;
  std::array<char, 48> device;
};
static_assert(sizeof(Info) == 88);

// A ring written as the kernel writes it, into a FixtureGuest or one that is asked alike: ids and
// positions begin shortly before they wrap, and the oldest records make room for new ones.
template <typename Guest>
class RingWriterInto {
 public:
  explicit RingWriterInto(Guest& guest) : guest_(guest) {
    guest_.memory().write_value(descriptor_at(count - 1),
                                Descriptor{tail_id_ | std::uint64_t{Reusable} << 62, 1, 1});
  }

  // Where the next block begins; set to place blocks at will.
  std::uint64_t head_lpos = 0 - data_size;
  std::uint64_t tail_lpos = 0 - data_size;

  std::uint64_t data_ring_offset = 48;  // in struct printk_ringbuffer; 40 in 5.10

  struct Options {
    State state = Finalized;
    std::uint8_t flags = 2;  // LOG_NEWLINE
    std::uint8_t facility = 0;
    std::uint8_t level = 6;
    std::uint32_t caller_id = 0;
    std::string subsystem = {};
    std::string device = {};
    std::optional<std::uint16_t> text_length = std::nullopt;  // as recorded, if not the text's
    bool ends_at_boundary_without_wrap = false;               // as kernels after 6.18 place blocks
    std::string behind = {};                                  // stands behind the text in its block
  };

  void store(const std::string& text) { store(text, {}); }

  void store(const std::string& text, const Options& options) {
    const std::uint64_t size = 8 + (text.size() + options.behind.size() + 7) / 8 * 8;
    const std::uint64_t begin = head_lpos;
    std::uint64_t next = begin + size;
    const bool fits = options.ends_at_boundary_without_wrap
                          ? begin / data_size == (next - 1) / data_size
                          : begin / data_size == next / data_size;
    if (!fits) next = (begin / data_size + 1) * data_size + size;
    make_room(next);
    std::uint64_t place = begin % data_size;
    write_data(place, next_id_, "");
    if (!fits) place = 0;
    write_data(place, next_id_, text + options.behind);
    head_lpos = next;
    text_ends_.emplace_back(next_id_, next);
    put(options, {begin, next},
        options.text_length.value_or(static_cast<std::uint16_t>(text.size())));
  }

  void store_without_block(std::uint64_t lpos, std::uint16_t text_len = 0) {
    put({}, {lpos, lpos}, text_len);
  }

  // As later kernels do: formatted into the block with its prefix and newline.
  void print(const std::string& text, const std::string& prefix =
                                          "\x01"
                                          "6") {
    const std::string written = prefix + text + "\n";
    Options options;
    options.behind = written.substr(text.size()) + '\0';
    store(text, options);
  }

  [[nodiscard]] std::uint64_t head_id() const { return (next_id_ - 1) & id_mask; }
  [[nodiscard]] std::uint64_t tail_id() const { return tail_id_; }

  [[nodiscard]] Descriptor descriptor(std::uint64_t seq) {
    Descriptor result{};
    (void)guest_.memory().read(descriptor_at(seq), std::as_writable_bytes(std::span(&result, 1)));
    return result;
  }
  void set_descriptor(std::uint64_t seq, const Descriptor& descriptor) {
    guest_.memory().write_value(descriptor_at(seq), descriptor);
  }
  [[nodiscard]] Info info(std::uint64_t seq) {
    Info result{};
    (void)guest_.memory().read(info_at(seq), std::as_writable_bytes(std::span(&result, 1)));
    return result;
  }
  void set_info(std::uint64_t seq, const Info& info) {
    guest_.memory().write_value(info_at(seq), info);
  }
  void write_data(std::uint64_t index, std::uint64_t id, std::string_view text) {
    const GuestPhysical at = guest_.at("__log_buf") + index;
    guest_.memory().write_value(at, id);
    if (!text.empty()) guest_.memory().write_text(at + 8, text);
  }

  CollectedLog read() {
    publish();
    return guest_.read_log();
  }

  // Writes the ring's header.
  void publish() {
    const GuestPhysical ring = guest_.at("printk_rb_static");
    const auto write = [&](std::uint64_t offset, std::uint64_t value) {
      guest_.memory().write_value(ring + offset, value);
    };
    guest_.set("prb", guest_.address("printk_rb_static").value);
    write(8, guest_.address("_printk_rb_static_descs").value);
    write(16, guest_.address("_printk_rb_static_infos").value);
    write(24, head_id());
    write(32, tail_id_);
    write(data_ring_offset + 8, guest_.address("__log_buf").value);
    write(data_ring_offset + 16, head_lpos);
    write(data_ring_offset + 24, tail_lpos);
  }

 private:
  void put(const Options& options, std::pair<std::uint64_t, std::uint64_t> block,
           std::uint16_t text_len) {
    if (((next_id_ - count) & id_mask) == tail_id_) push_tail();
    Info info{next_seq_,
              next_seq_ * 1000,
              text_len,
              options.facility,
              static_cast<std::uint8_t>(options.flags | options.level << 5),
              options.caller_id,
              {},
              {}};
    options.subsystem.copy(info.subsystem.data(), info.subsystem.size());
    options.device.copy(info.device.data(), info.device.size());
    set_info(next_seq_, info);
    set_descriptor(next_seq_,
                   {next_id_ | std::uint64_t{options.state} << 62, block.first, block.second});
    ++next_seq_;
    next_id_ = (next_id_ + 1) & id_mask;
  }

  // The records whose text stands where a block up to `next` will.
  void make_room(std::uint64_t next) {
    while (next - tail_lpos > data_size && tail_lpos != head_lpos) {
      const std::uint64_t oldest_with_text = text_ends_.front().first;
      give_up(oldest_with_text);
      tail_lpos = text_ends_.front().second;
      text_ends_.pop_front();
    }
  }

  void give_up(std::uint64_t id) {
    Descriptor oldest = descriptor(id % count);
    oldest.state_var |= std::uint64_t{Reusable} << 62;
    set_descriptor(id % count, oldest);
  }

  // Makes room for one record more, as desc_push_tail() does: text up to the oldest's goes too.
  void push_tail() {
    give_up(tail_id_);
    while (!text_ends_.empty() && text_ends_.front().first == tail_id_) {
      tail_lpos = text_ends_.front().second;
      text_ends_.pop_front();
    }
    tail_id_ = (tail_id_ + 1) & id_mask;
  }

  [[nodiscard]] GuestPhysical descriptor_at(std::uint64_t seq) const {
    return guest_.at("_printk_rb_static_descs") + seq % count * sizeof(Descriptor);
  }
  [[nodiscard]] GuestPhysical info_at(std::uint64_t seq) const {
    return guest_.at("_printk_rb_static_infos") + seq % count * sizeof(Info);
  }

  Guest& guest_;
  std::uint64_t next_seq_ = 0;
  // In 32 bits, as the kernel begins.
  std::uint64_t next_id_ = static_cast<std::uint32_t>(0 - count);
  std::uint64_t tail_id_ = (next_id_ - 1) & id_mask;
  std::deque<std::pair<std::uint64_t, std::uint64_t>> text_ends_;  // ids and their blocks' ends
};

using RingWriter = RingWriterInto<FixtureGuest>;

}  // namespace photon_dmesg::test
