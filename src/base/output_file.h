#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/byte_source.h"

namespace photon_dmesg {

// Who can read an output. A file that it takes the place of says more than a default does.
enum class Access {
  Public,     // a new file is as the umask has it; one that is there keeps its mode and owner
  Commands,   // as Public, but another user's file does not stay theirs: what it says is run
  Private,    // a new file is its owner's alone; one of this user's that is there keeps its mode
  OwnerOnly,  // always its owner's alone
};

// A file that is written at any offset and appears under its name only when it is whole: an
// interrupted run leaves nothing of it there, nor under another name if the process has called
// unfinished_files::remove_at_signals(). What is not written is a hole. It never takes the
// place of a file that this process has read (see read_files.h).
class OutputFile {
 public:
  // Begins a file that will be `path`, in a folder that exists. An owner or a group that this
  // process can't give it, it does not keep; then its group gets no rights that are not
  // everybody's. Throws Error(Incomplete) with the system's reason, Error(Usage) if `path` was
  // read.
  OutputFile(std::filesystem::path path, Access access);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // Throws Error(Incomplete) when the disk is full or fails, as all of these.
  void write(std::uint64_t offset, std::span<const std::byte> bytes);
  void write(std::uint64_t offset, std::string_view text);

  // Like write(), but blocks of zeros stay holes.
  void write_sparse(std::uint64_t offset, std::span<const std::byte> bytes);

  // Copies `size` bytes at `from` of `source` to `offset`. Holes stay holes, and a file system that
  // can shares the blocks instead of copying them. Calls `progress` with the bytes done so far.
  void copy(const ByteSource& source, std::uint64_t from, std::uint64_t size, std::uint64_t offset,
            const std::function<void(std::uint64_t)>& progress);

  // Gives the file its size and its name, in place of a file that has it. Throws Error(Usage) if
  // that was read since.
  void finish(std::uint64_t size);

 private:
  void copy_data(const ByteSource& source, std::uint64_t from, std::uint64_t size,
                 std::uint64_t offset);
  void open(mode_t mode);
  void take_over(const struct stat& replaced) const;
  [[noreturn]] void fail(const char* doing, int error) const;
  void link();
  void refuse_input() const;

  std::filesystem::path path_;
  std::filesystem::path temporary_;  // the name it has meanwhile; empty: none
  int descriptor_ = -1;
  bool system_copies_ = true;  // until the system refuses to
};

// Writes a file that holds `content` and nothing else, as OutputFile does.
void write_file(const std::filesystem::path& path, Access access,
                std::span<const std::byte> content);

}  // namespace photon_dmesg
