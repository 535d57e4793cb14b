#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "checkpoint/guest/guest_memory.h"

namespace photon_dmesg {

// libkdumpfile in a process of its own: version 0.5.1 runs into memory that is not its own on some
// damaged files, which must neither end this program nor show in what it prints.
class KdumpProcess {
 public:
  // Opens the dump in `files`, whose descriptors are used and which must outlive this object.
  // Throws Error(UnusableInput) that begins with `name` when the library can't, or dies of it.
  KdumpProcess(const std::vector<std::shared_ptr<const ByteSource>>& files, std::string name);
  ~KdumpProcess();
  KdumpProcess(const KdumpProcess&) = delete;
  KdumpProcess& operator=(const KdumpProcess&) = delete;

  // So that a damaged map can't exhaust memory, here and in the library's process.
  static constexpr std::uint64_t most_ranges = 1 << 23;

  // The pages that the dump holds, ascending; one more than `most_ranges` if there are too many.
  [[nodiscard]] const std::vector<PhysicalRange>& ranges() const { return ranges_; }

  // Whether all of it is RAM. Throws Error(UnusableInput) when the library can't read it, or dies
  // of it: the next read then has a new process.
  [[nodiscard]] bool read(GuestPhysical address, std::span<std::byte> target) const;

 private:
  struct Answer;

  void start() const;
  void end() const;
  void require_process() const;
  [[nodiscard]] bool ask(GuestPhysical address, std::span<std::byte> target) const;
  [[nodiscard]] std::vector<PhysicalRange> receive_ranges() const;

  [[nodiscard]] Answer receive_answer() const;
  void receive(std::span<std::byte> target) const;
  [[noreturn]] void fail(const std::string& reason) const;

  std::string name_;
  std::vector<int> descriptors_;
  mutable int socket_ = -1;
  mutable int process_ = -1;  // -1: it has died
  mutable int starts_ = 0;
  std::vector<PhysicalRange> ranges_;
  mutable std::mutex mutex_;  // one question at a time
};

}  // namespace photon_dmesg
