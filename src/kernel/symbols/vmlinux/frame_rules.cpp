#include "kernel/symbols/vmlinux/frame_rules.h"

#include <dwarf.h>

#include "base/byte_reader.h"

namespace photon_dmesg {
namespace {

// DWARF's numbers of registers (System V ABI, AMD64 supplement, 3.6.2).
constexpr std::uint64_t number_of_bp = 6;
constexpr std::uint64_t number_of_sp = 7;
constexpr std::uint64_t number_of_return_address = 16;

constexpr std::int64_t word = sizeof(std::uint64_t);
constexpr const char* what = "a call frame instruction";

// LEB128 (DWARF 5, 7.6).
constexpr unsigned bits_of_byte = 7;
constexpr std::uint8_t value_bits = 0x7f;
constexpr std::uint8_t more_follows = 0x80;
constexpr std::uint8_t sign_bit = 0x40;
constexpr unsigned bits_of_number = 64;

struct Leb {
  std::uint64_t value = 0;
  unsigned bits = 0;
  std::uint8_t last = 0;
};

Leb read_leb(ByteReader& reader) {
  Leb leb;
  do {
    leb.last = reader.u8(what);
    if (leb.bits < bits_of_number) {
      leb.value |= static_cast<std::uint64_t>(leb.last & value_bits) << leb.bits;
    }
    leb.bits += bits_of_byte;
  } while ((leb.last & more_follows) != 0);
  return leb;
}

std::uint64_t read_uleb(ByteReader& reader) {
  return read_leb(reader).value;
}

std::int64_t read_sleb(ByteReader& reader) {
  Leb leb = read_leb(reader);
  if ((leb.last & sign_bit) != 0 && leb.bits < bits_of_number) {
    leb.value |= ~std::uint64_t{0} << leb.bits;
  }
  return static_cast<std::int64_t>(leb.value);
}

// A program may hold any numbers: what leaves 64 bits wraps, and leads nowhere.
std::int64_t product(std::uint64_t number, std::int64_t factor) {
  return static_cast<std::int64_t>(number * static_cast<std::uint64_t>(factor));
}

}  // namespace

// One program on its way.
class FrameRules::Program {
 public:
  Program(FrameRules& rules, FileRange program)
      : rules_(rules), reader_(rules.section_, program.offset, program.offset + program.size) {}

  // Up to the instructions for places behind `distance`.
  void run(std::uint64_t distance) {
    while (reader_.remaining() > 0 && rules_.is_sound_) {
      rules_.is_sound_ = rules_.steps_.take();
      const std::uint8_t operation = reader_.u8(what);
      if (!advance(operation)) do_one(operation);
      if (at_ > distance) return;
    }
  }

 private:
  // The first two bits are an operation by themselves, if any is set, and the others its operand.
  static constexpr std::uint8_t operand_mask = 0x3f;

  static Rule saved(std::int64_t offset) { return {Rule::Kind::Saved, offset}; }
  std::uint64_t uleb() { return read_uleb(reader_); }
  std::int64_t scaled() { return product(uleb(), rules_.factors_.data); }
  std::int64_t scaled_signed() {
    return product(static_cast<std::uint64_t>(read_sleb(reader_)), rules_.factors_.data);
  }

  // False if `operation` is none that goes on to the next place.
  bool advance(std::uint8_t operation) {
    std::uint64_t distance = 0;
    if ((operation & ~operand_mask) == DW_CFA_advance_loc) {
      distance = operation & operand_mask;
    } else if (operation == DW_CFA_advance_loc1) {
      distance = reader_.u8(what);
    } else if (operation == DW_CFA_advance_loc2) {
      distance = reader_.u16(what);
    } else if (operation == DW_CFA_advance_loc4) {
      distance = reader_.u32(what);
    } else {
      return false;
    }
    at_ += distance * rules_.factors_.code;
    return true;
  }

  void do_one(std::uint8_t operation) {
    const std::uint64_t operand = operation & operand_mask;
    switch (operation & ~operand_mask) {
      case DW_CFA_offset:
        return rules_.set(operand, saved(scaled()));
      case DW_CFA_restore:
        return rules_.restore(operand);
      default:
        if (!define_frame(operation) && !define_register(operation)) keep(operation);
    }
  }

  // False if `operation` does not tell of the frame itself.
  bool define_frame(std::uint8_t operation) {
    Rules& rules = rules_.rules_;
    switch (operation) {
      case DW_CFA_def_cfa:
        rules.base = uleb();
        rules.offset = static_cast<std::int64_t>(uleb());
        return true;
      case DW_CFA_def_cfa_sf:
        rules.base = uleb();
        rules.offset = scaled_signed();
        return true;
      case DW_CFA_def_cfa_register:
        rules.base = uleb();
        return true;
      case DW_CFA_def_cfa_offset:
        rules.offset = static_cast<std::int64_t>(uleb());
        return true;
      case DW_CFA_def_cfa_offset_sf:
        rules.offset = scaled_signed();
        return true;
      case DW_CFA_def_cfa_expression:
        rules.base.reset();
        skip_block();
        return true;
      default:
        return false;
    }
  }

  // False if `operation` does not tell of one register.
  bool define_register(std::uint8_t operation) {
    const auto number_then = [&](auto&& rule) {
      const std::uint64_t number = uleb();
      rules_.set(number, rule());
      return true;
    };
    const Rule unknown{Rule::Kind::Unknown, 0};
    switch (operation) {
      case DW_CFA_offset_extended:
        return number_then([&] { return saved(scaled()); });
      case DW_CFA_offset_extended_sf:
        return number_then([&] { return saved(scaled_signed()); });
      case DW_CFA_same_value:
        return number_then([&] { return Rule{}; });
      case DW_CFA_undefined:
        return number_then([&] { return unknown; });
      case DW_CFA_register:
      case DW_CFA_val_offset:
      case DW_CFA_val_offset_sf:
        return number_then([&] {
          (void)uleb();
          return unknown;
        });
      case DW_CFA_expression:
      case DW_CFA_val_expression:
        return number_then([&] {
          skip_block();
          return unknown;
        });
      case DW_CFA_restore_extended:
        rules_.restore(uleb());
        return true;
      default:
        return false;
    }
  }

  // The operations that are left.
  void keep(std::uint8_t operation) {
    switch (operation) {
      case DW_CFA_nop:
        return;
      case DW_CFA_GNU_args_size:
        (void)uleb();
        return;
      case DW_CFA_remember_state:
        return rules_.remembered_.push_back(rules_.rules_);
      case DW_CFA_restore_state:
        return rules_.restore_remembered();
      default:
        rules_.is_sound_ = false;
    }
  }

  void skip_block() { reader_.skip(uleb(), what); }

  FrameRules& rules_;
  ByteReader reader_;
  std::uint64_t at_ = 0;  // bytes into the function
};

std::optional<CallFrame> FrameRules::run(FileRange program, std::uint64_t distance) {
  Program(*this, factors_.program).run(0);
  initial_ = rules_;
  Program(*this, program).run(distance);
  return is_sound_ ? frame() : std::nullopt;
}

std::optional<CallFrame> FrameRules::frame() const {
  const bool is_by_bp = rules_.base == number_of_bp;
  if (!is_by_bp && rules_.base != number_of_sp) return std::nullopt;
  if (rules_.return_address.kind != Rule::Kind::Saved || rules_.return_address.offset != -word ||
      rules_.bp.kind == Rule::Kind::Unknown) {
    return std::nullopt;
  }
  CallFrame frame;
  frame.base = is_by_bp ? CallFrame::Base::Bp : CallFrame::Base::Sp;
  frame.offset = rules_.offset;
  if (rules_.bp.kind == Rule::Kind::Saved) frame.saved_bp = rules_.bp.offset;
  return frame;
}

void FrameRules::set(std::uint64_t number, Rule rule) {
  if (number == number_of_bp) rules_.bp = rule;
  if (number == number_of_return_address) rules_.return_address = rule;
}

void FrameRules::restore_remembered() {
  is_sound_ = !remembered_.empty();
  if (!is_sound_) return;
  rules_ = remembered_.back();
  remembered_.pop_back();
}

void FrameRules::restore(std::uint64_t number) {
  if (number == number_of_bp) rules_.bp = initial_.bp;
  if (number == number_of_return_address) rules_.return_address = initial_.return_address;
}

}  // namespace photon_dmesg
