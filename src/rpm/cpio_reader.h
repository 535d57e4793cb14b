#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/byte_stream.h"
#include "base/stream_reader.h"
#include "rpm/rpm_package.h"

namespace photon_dmesg {

// The cpio archive of a package's payload, member by member, forwards only: the "newc" format
// (070701; 070702 with a checksum), and RPM's own for packages with a file of more than 4 GiB
// (07070X: a member is named by its number in the package's header; rpm: lib/cpio.c).
class CpioReader {
 public:
  // `archive` and `files` (the package's, in the header's order) must outlive the reader.
  CpioReader(ByteStream& archive, const std::vector<RpmPackage::File>& files)
      : input_(archive), files_(&files) {}

  struct Member {
    std::string path;  // as stored, or as the header has it
    std::uint64_t size = 0;
    bool regular_file = false;
    std::optional<std::uint64_t> inode;  // hard links have one in common
  };

  // Goes to the next member; nothing at the end. Throws Error(UnusableInput) on damage, and for
  // more bytes to pass over than the files of any kernel package.
  [[nodiscard]] std::optional<Member> next_member();

  // The next bytes of the current member; empty at its end. Valid until the next call.
  [[nodiscard]] std::span<const std::byte> next_data();

 private:
  [[nodiscard]] Member read_newc();
  [[nodiscard]] Member read_stripped();
  std::uint64_t read_hexadecimal(const char* what);
  void align();

  StreamReader input_;
  const std::vector<RpmPackage::File>* files_;
  std::uint64_t left_ = 0;  // of the current member
};

}  // namespace photon_dmesg
