#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "checkpoint/guest/vcpu.h"

// What the notes of a machine's ELF core hold, for reading and for writing.
namespace photon_dmesg::register_notes {

// What NT_PRSTATUS begins with (Linux: struct elf_prstatus), one for each vCPU, owner "CORE".
struct PrstatusHead {
  std::int32_t signal_number = 0;
  std::int32_t signal_code = 0;
  std::int32_t signal_errno = 0;
  std::int16_t current_signal = 0;
  std::int16_t padding = 0;
  std::uint64_t pending_signals = 0;
  std::uint64_t held_signals = 0;
  std::int32_t pid = 0;
  std::int32_t parent_pid = 0;
  std::int32_t group = 0;
  std::int32_t session = 0;
  std::array<std::uint64_t, 8> times{};  // user, system, and those of children
};
static_assert(sizeof(PrstatusHead) == 112);

// All of it, of x86-64.
struct Prstatus : PrstatusHead {
  // The order of struct user_regs_struct.
  enum Register : std::size_t {
    R15,
    R14,
    R13,
    R12,
    Rbp,
    Rbx,
    R11,
    R10,
    R9,
    R8,
    Rax,
    Rcx,
    Rdx,
    Rsi,
    Rdi,
    OrigRax,
    Rip,
    Cs,
    Rflags,
    Rsp,
    Ss,
    FsBase,
    GsBase,
    Ds,
    Es,
    Fs,
    Gs
  };
  std::array<std::uint64_t, 27> registers{};
  std::uint64_t has_fpu_registers = 0;
};
static_assert(sizeof(Prstatus) == 336);

// The same of arm64, in the order of its struct user_pt_regs.
struct Arm64Prstatus : PrstatusHead {
  std::array<std::uint64_t, 31> general{};  // x0..x30
  std::uint64_t sp = 0;
  std::uint64_t pc = 0;
  std::uint64_t pstate = 0;
  std::uint64_t has_fpu_registers = 0;
};
static_assert(sizeof(Arm64Prstatus) == 392);

// Which slot of Prstatus holds each general register, by x86's register numbers.
inline constexpr std::array<std::size_t, 16> general_slots = {
    Prstatus::Rax, Prstatus::Rcx, Prstatus::Rdx, Prstatus::Rbx, Prstatus::Rsp, Prstatus::Rbp,
    Prstatus::Rsi, Prstatus::Rdi, Prstatus::R8,  Prstatus::R9,  Prstatus::R10, Prstatus::R11,
    Prstatus::R12, Prstatus::R13, Prstatus::R14, Prstatus::R15};

// The note "QEMU" of QEMU's dump-guest-memory, one for each vCPU (QEMU: target/i386/
// arch_dump.c, QEMUCPUState): the registers that PRSTATUS lacks.
struct QemuCpuState {
  std::uint32_t version = 1;
  std::uint32_t size = sizeof(QemuCpuState);
  // rax rbx rcx rdx rsi rdi rsp rbp r8..r15
  std::array<std::uint64_t, 16> general{};
  std::uint64_t rip = 0;
  std::uint64_t rflags = 0;
  struct Segment {
    std::uint32_t selector = 0;
    std::uint32_t limit = 0;
    std::uint32_t flags = 0;
    std::uint32_t padding = 0;
    std::uint64_t base = 0;
  };
  enum SegmentNumber : std::size_t { Cs, Ds, Es, Fs, Gs, Ss, Ldt, Tr, Gdt, Idt };
  std::array<Segment, 10> segments{};
  std::array<std::uint64_t, 5> cr{};
  std::uint64_t kernel_gs_base = 0;
};
static_assert(sizeof(QemuCpuState) == 440);

// Which slot of QemuCpuState::general holds each general register, by x86's register numbers.
inline constexpr std::array<std::size_t, 16> qemu_slots = {0, 2, 3,  1,  6,  7,  4,  5,
                                                           8, 9, 10, 11, 12, 13, 14, 15};

inline constexpr std::string_view core_owner = "CORE";
inline constexpr std::string_view qemu_owner = "QEMU";
inline constexpr std::string_view vmcoreinfo_owner = "VMCOREINFO";

// The registers of a note as the vCPU's.
void take(const Prstatus& status, Vcpu& vcpu);
void take(const Arm64Prstatus& status, Vcpu& vcpu);
void take(const QemuCpuState& qemu, Vcpu& vcpu);

// The other way round; registers that the vCPU lacks are 0. `thread`: the number by which readers
// take threads apart; 0 is none.
[[nodiscard]] Prstatus make_prstatus(const Vcpu& vcpu, std::int32_t thread);
[[nodiscard]] Arm64Prstatus make_arm64_prstatus(const Vcpu& vcpu, std::int32_t thread);
[[nodiscard]] QemuCpuState make_qemu_state(const Vcpu& vcpu);

// How the cores of one kind of machine hold what a vCPU has in its registers.
struct Format {
  std::size_t prstatus_bytes;  // that the content of a NT_PRSTATUS has
  // That content; registers that the vCPU lacks are 0.
  std::string (*make_prstatus)(const Vcpu& vcpu, std::int32_t thread);
  // The other way round. False if `content` is shorter than one.
  bool (*take_prstatus)(std::span<const std::byte> content, Vcpu& vcpu);
  // The content of QEMU's own note; null if QEMU writes none for such machines.
  std::string (*make_qemu_state)(const Vcpu& vcpu);
};
extern const Format x86_64_format;
extern const Format arm64_format;

}  // namespace photon_dmesg::register_notes
