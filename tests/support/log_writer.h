#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "support/fixture_guest.h"

namespace photon_dmesg::test {

inline constexpr std::size_t header_bytes = 16;
inline constexpr std::size_t buffer_bytes = 8192;
inline constexpr std::uint8_t newline_and_prefix = 2 | 4;

struct Message {
  std::uint64_t ts_nsec = 0;
  std::uint8_t facility = 0;
  std::uint8_t level = 6;
  std::string text;
  std::string dictionary;
  std::uint8_t flags = newline_and_prefix;
};

// Stores records as the kernel did until 5.9: a record never crosses the buffer's end, a zeroed
// header stands where the next one would have, and the oldest records make room.
class LogWriter {
 public:
  explicit LogWriter(std::size_t header = header_bytes) : header_(header) {}

  void store(const Message& message) {
    const std::size_t content = header_ + message.text.size() + message.dictionary.size();
    const std::size_t size = (content + 3) / 4 * 4;
    while (!has_room(size)) drop_oldest();
    if (next_index + size + header_ > buffer.size()) {
      std::fill_n(buffer.begin() + next_index, header_, '\0');
      next_index = 0;
    }
    write_record(message, size);
    kept.push_back(message);
    last_index = next_index;
    next_index += static_cast<std::uint32_t>(size);
    ++next_seq;
  }

  // Puts the log into the guest's variables; it may be a FixtureGuest or one that is asked alike.
  template <typename Guest>
  void publish(Guest& guest) const {
    publish_at(guest.at("log_buf"), guest);
  }
  template <typename Guest>
  void publish_at(GuestPhysical log_buf, Guest& guest) const {
    guest.memory().write_text(guest.at("__log_buf"), {buffer.data(), buffer.size()});
    guest.memory().write_value(log_buf, guest.address("__log_buf").value);
    guest.set("log_first_seq", first_seq);
    guest.set("log_next_seq", next_seq);
    guest.set("log_first_idx", first_index);
    guest.set("log_next_idx", next_index);
  }

  [[nodiscard]] std::uint16_t length_at(std::uint32_t index) const {
    std::uint16_t length = 0;
    std::memcpy(&length, buffer.data() + index + 8, sizeof(length));
    return length;
  }

  std::vector<char> buffer = std::vector<char>(buffer_bytes);
  std::uint64_t first_seq = 0;
  std::uint64_t next_seq = 0;
  std::uint32_t first_index = 0;
  std::uint32_t next_index = 0;
  std::uint32_t last_index = 0;  // of the newest record
  std::deque<Message> kept;

 private:
  [[nodiscard]] bool has_room(std::size_t size) const {
    const bool ahead = next_index > first_index || first_seq == next_seq;
    const std::size_t room = ahead ? std::max<std::size_t>(buffer.size() - next_index, first_index)
                                   : first_index - next_index;
    return room >= size + header_;
  }

  void drop_oldest() {
    first_index = length_at(first_index) == 0 ? length_at(0) : first_index + length_at(first_index);
    ++first_seq;
    kept.pop_front();
  }

  void write_record(const Message& message, std::size_t size) {
    char* at = buffer.data() + next_index;
    std::memset(at, 0, size);
    const std::array<std::uint16_t, 3> lengths = {
        static_cast<std::uint16_t>(size), static_cast<std::uint16_t>(message.text.size()),
        static_cast<std::uint16_t>(message.dictionary.size())};
    std::memcpy(at, &message.ts_nsec, 8);
    std::memcpy(at + 8, lengths.data(), 6);
    at[14] = static_cast<char>(message.facility);
    at[15] = static_cast<char>(message.level << 5 | message.flags);
    std::memcpy(at + header_, message.text.data(), message.text.size());
    std::memcpy(at + header_ + message.text.size(), message.dictionary.data(),
                message.dictionary.size());
  }

  std::size_t header_;
};

inline Message numbered_message(unsigned number) {
  return {number * 1000000ULL, static_cast<std::uint8_t>(number % 24),
          static_cast<std::uint8_t>(number % 8),
          fmt::format("message {} {}", number, std::string(number * 37 % 150, '.')), ""};
}

}  // namespace photon_dmesg::test
