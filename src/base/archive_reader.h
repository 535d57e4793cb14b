#pragma once

#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/byte_source.h"
#include "base/byte_stream.h"

namespace photon_dmesg {

// Whether `begin`, the first bytes of a file, are those of an archive that ArchiveReader reads and
// that is not packed as a whole.
[[nodiscard]] bool is_archive(const ByteSource& begin);

// Whether it is a tar archive.
[[nodiscard]] bool is_tar_archive(const ByteSource& begin);

// So many bytes are enough for both.
inline constexpr std::size_t archive_mark_bytes = 512;

// A tar, zip or 7z archive, member by member, read through libarchive: no other format, no program
// of the host's, and nothing that is written anywhere.
class ArchiveReader {
 public:
  // Any of them, in a source that can be read at any place and must outlive the reader.
  explicit ArchiveReader(const ByteSource& source);

  // A tar archive that comes as a stream, which must outlive the reader.
  explicit ArchiveReader(ByteStream& stream);
  ~ArchiveReader();

  struct Member {
    std::string path;       // as stored; empty: it can't be told
    bool is_file = false;   // and no folder, link or device
    bool is_link = false;   // a symbolic one
    std::string hard_link;  // the path of the member, as stored, that it is another name of
    bool is_encrypted = false;
    std::uint64_t size = 0;              // as far as its header says
    std::optional<std::time_t> changed;  // in seconds since 1970
  };

  // Goes to the next member; nothing at the end. Throws Error(UnusableInput) on damage.
  [[nodiscard]] std::optional<Member> next_member();

  // Whether what is not read of a member is unpacked all the same, to get at the next.
  [[nodiscard]] bool unpacks_what_it_skips() const;

  // A part of a member: so many zeros, and behind them bytes.
  struct Part {
    std::uint64_t zeros = 0;
    std::span<const std::byte> bytes;
  };

  // The next part of the current member; nothing at its end. Valid until the next call. Throws
  // Error(UnusableInput) on damage, also of a checksum.
  [[nodiscard]] std::optional<Part> next_part();

 private:
  void open();
  // To the current member of a 7z archive once more, unpacking what stands before it: libarchive
  // (3.6.2) takes an archive for cut where it skips a large member by itself.
  void come_again();
  void require(int result, const char* doing) const;

  struct State;

  const ByteSource* anywhere_ = nullptr;  // null: a stream
  std::unique_ptr<State> state_;
};

}  // namespace photon_dmesg
