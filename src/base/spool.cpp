#include "base/spool.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/block_source.h"
#include "base/error.h"

namespace photon_dmesg {
namespace {

class SpooledSource final : public BlockSource {
 public:
  SpooledSource(std::string name, std::unique_ptr<const SpooledFile> file)
      : BlockSource(std::move(name), file->size(), SpooledFile::block_bytes),
        file_(std::move(file)) {}

  [[nodiscard]] std::uint64_t next_data(std::uint64_t offset) const override {
    return next_block(offset, false);
  }
  [[nodiscard]] std::uint64_t data_end(std::uint64_t offset) const override {
    return next_block(offset, true);
  }

 private:
  [[nodiscard]] std::vector<std::byte> load_block(std::uint64_t index) const override {
    return file_->read_block(static_cast<std::size_t>(index));
  }

  // Where at or behind `offset` the next bytes stand that are in a block of zeros or in none.
  [[nodiscard]] std::uint64_t next_block(std::uint64_t offset, bool zero) const {
    while (offset < size() && file_->is_zero(offset / SpooledFile::block_bytes) != zero) {
      offset = (offset / SpooledFile::block_bytes + 1) * SpooledFile::block_bytes;
    }
    return std::min(offset, size());
  }

  std::unique_ptr<const SpooledFile> file_;
};

}  // namespace

SpoolLimits SpoolLimits::of_machine() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page_bytes = ::sysconf(_SC_PAGESIZE);
  constexpr std::uint64_t unknown = std::uint64_t{1} << 30;
  if (pages <= 0 || page_bytes <= 0) return {.kept = unknown};
  return {.kept = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_bytes) / 2};
}

Spool::Spool(std::string name, SpoolLimits limits)
    : name_(std::move(name)), limits_(limits), file_(std::make_unique<SpooledFile>()) {}

void Spool::check(std::uint64_t more) const {
  if (more > limits_.unpacked || size() > limits_.unpacked - more) {
    throw unusable(fmt::format("{}: it unpacks to more than {} bytes, which no guest's files have",
                               name_, limits_.unpacked));
  }
  if (kept() > limits_.kept) {
    throw unusable(
        fmt::format("{}: what it unpacks to takes more than {} bytes of memory, packed anew: "
                    "unpack it to a disk",
                    name_, limits_.kept));
  }
}

void Spool::append(std::span<const std::byte> bytes) {
  check(bytes.size());
  file_->append(bytes);
}

void Spool::append_zeros(std::uint64_t count) {
  check(count);
  file_->append_zeros(count);
}

std::shared_ptr<const ByteSource> Spool::finish() {
  file_->finish();
  check(0);  // what was being packed is counted only now
  kept_ = file_->kept();
  return std::make_shared<SpooledSource>(std::move(name_), std::move(file_));
}

}  // namespace photon_dmesg
