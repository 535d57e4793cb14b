#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "base/address.h"
#include "support/bytes.h"

namespace photon_dmesg::test {

// Below it are per-CPU offsets; kallsyms_relative_base.
inline constexpr std::uint64_t kernel_begin = 0xffffffff9b000000;

// How a version lays out the table.
struct KallsymsForm {
  const char* versions;
  bool absolute_addresses = false;  // u64 in front, up to 4.5
  bool addresses_behind = false;    // 6.4 and later
  bool own_place = false;           // 7.x
  bool per_cpu = true;              // CONFIG_KALLSYMS_ABSOLUTE_PERCPU
  std::size_t width = 4;            // of num_syms and markers
  bool seqs_of_names = false;       // between markers and tokens: 6.1 stable to 6.3
  std::size_t alignment = 8;        // of all its parts
};

inline constexpr KallsymsForm kallsyms_forms[] = {
    {"4.4", true, false, false, false, 8, false},
    {"4.9 to 4.19", false, false, false, true, 8, false},
    {"5.x", false, false, false, true, 4, false},
    {"5.x without per-CPU symbols", false, false, false, false, 4, false},
    {"6.1 stable", false, false, false, true, 4, true},
    {"6.12", false, true, false, true, 4, false},
    {"6.12 without per-CPU symbols", false, true, false, false, 4, false},
    {"7.2", false, true, true, false, 4, false},
    {"7.3", false, true, true, false, 4, false, 4},
};

struct KallsymsSample {
  char type;
  std::uint64_t address;
  std::string name;
};

// Writes the table as scripts/kallsyms does, with tokens of one character and one of two.
class KallsymsWriter {
 public:
  KallsymsWriter(const KallsymsForm& form, const std::vector<KallsymsSample>& symbols,
                 GuestVirtual place)
      : form_(form), symbols_(symbols), place_(place) {}

  // `before` is put in front, so that nothing begins where the bytes do.
  std::string write(const std::string& before) {
    bytes_ = before;
    pad();
    if (form_.alignment < 8) number(0, form_.alignment);  // so that nothing is aligned to more
    if (!form_.addresses_behind) addresses();
    number(symbols_.size(), form_.width);
    pad();
    names();
    for (const std::size_t marker : markers_) number(marker, form_.width);
    pad();
    if (form_.seqs_of_names) order();
    tokens();
    if (form_.addresses_behind) {
      addresses();
      order();
    }
    return bytes_ + std::string(100, '\xee');
  }

 private:
  void pad() {
    while (bytes_.size() % form_.alignment != 0) bytes_ += '\0';
  }
  void number(std::uint64_t value, std::size_t width) { bytes_ += little_endian(value, width); }

  void addresses() {
    const std::uint64_t place = (place_ + bytes_.size()).value;
    for (std::size_t i = 0; i < symbols_.size(); ++i) {
      const std::uint64_t address = symbols_[i].address;
      if (form_.absolute_addresses) {
        number(address, 8);
      } else if (form_.own_place) {
        number(address - (place + i * 4), 4);
      } else if (form_.per_cpu) {
        number(address < kernel_begin ? address : kernel_begin - 1 - address, 4);
      } else {
        number(address - kernel_begin, 4);
      }
    }
    pad();
    if (!form_.absolute_addresses && !form_.own_place) number(kernel_begin, 8);
  }

  // Since 6.2, and in stable versions of 6.1: the symbols by name, those of one name by place.
  void order() {
    std::vector<std::size_t> places(symbols_.size());
    std::iota(places.begin(), places.end(), std::size_t{0});
    std::stable_sort(places.begin(), places.end(), [&](std::size_t left, std::size_t right) {
      return symbols_[left].name < symbols_[right].name;
    });
    for (const std::size_t place : places) {
      for (const unsigned shift : {16U, 8U, 0U}) bytes_ += static_cast<char>(place >> shift);
    }
    pad();
  }

  void names() {
    const std::size_t begin = bytes_.size();
    for (std::size_t i = 0; i < symbols_.size(); ++i) {
      if (i % 256 == 0) markers_.push_back(bytes_.size() - begin);
      std::string name = symbols_[i].type + symbols_[i].name;
      for (std::size_t at = name.find("fu"); at != std::string::npos; at = name.find("fu")) {
        name.replace(at, 2, "\x01");
      }
      if (name.size() > 127) {
        number((name.size() & 0x7f) | 0x80, 1);
        number(name.size() >> 7, 1);
      } else {
        number(name.size(), 1);
      }
      bytes_ += name;
    }
    pad();
  }

  void tokens() {
    std::vector<std::size_t> index;
    const std::size_t begin = bytes_.size();
    for (unsigned token = 0; token < 256; ++token) {
      index.push_back(bytes_.size() - begin);
      bytes_ += token == 1                     ? "fu"
                : token > 0x20 && token < 0x7f ? std::string(1, static_cast<char>(token))
                                               : "?" + std::to_string(token);
      bytes_ += '\0';
    }
    pad();
    for (const std::size_t offset : index) number(offset, 2);
    pad();
  }

  const KallsymsForm& form_;
  const std::vector<KallsymsSample>& symbols_;
  GuestVirtual place_;  // where the bytes will stand
  std::string bytes_;
  std::vector<std::size_t> markers_;
};

}  // namespace photon_dmesg::test
