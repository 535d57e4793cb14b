#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/archive_reader.h"
#include "base/byte_stream.h"

namespace photon_dmesg {

// The content of a file in a bundle, while it comes by.
class BundledContent {
 public:
  BundledContent() = default;
  BundledContent(const BundledContent&) = delete;
  BundledContent& operator=(const BundledContent&) = delete;
  virtual ~BundledContent() = default;

  // The next part; nothing at the end, or where damage begins. Valid until the next call.
  [[nodiscard]] virtual std::optional<ArchiveReader::Part> next() = 0;

  // Its first bytes, at least `count` of them if there are so many and no hole is among them, which
  // next() gives again. To be called before that.
  [[nodiscard]] virtual std::span<const std::byte> peek(std::size_t count) = 0;
};

// What is unpacked of a bundle beside what somebody reads of it, which may be as large as a guest.
class PassedBytes {
 public:
  explicit PassedBytes(std::uint64_t most) : most_(most) {}

  // So much was read.
  void read(std::uint64_t count) { read_ += count; }

  // So much was unpacked, read or not. Throws Error(UnusableInput) when what was not read is more
  // than an honest bundle has.
  void unpacked(std::uint64_t count);

 private:
  std::uint64_t most_;
  std::uint64_t unpacked_ = 0;
  std::uint64_t read_ = 0;
};

// Counts what it passes on as unpacked.
class CountedStream final : public ByteStream {
 public:
  // `passed` must outlive the stream.
  CountedStream(std::unique_ptr<ByteStream> stream, PassedBytes& passed)
      : stream_(std::move(stream)), passed_(passed) {}

  [[nodiscard]] std::span<const std::byte> next() override;
  [[nodiscard]] const std::string& name() const override { return stream_->name(); }

 private:
  std::unique_ptr<ByteStream> stream_;
  PassedBytes& passed_;
};

// The content of the member that an archive's reader is at.
class MemberContent final : public BundledContent {
 public:
  // All of these must outlive it. `damage` gets why the content ends early, behind `path`.
  MemberContent(ArchiveReader& reader, PassedBytes& passed, std::vector<std::string>& damage,
                const std::string& path)
      : reader_(reader), passed_(passed), damage_(damage), path_(path) {}

  [[nodiscard]] std::optional<ArchiveReader::Part> next() override;
  [[nodiscard]] std::span<const std::byte> peek(std::size_t count) override;

  // How many bytes of it have been read.
  [[nodiscard]] std::uint64_t given() const { return given_; }

 private:
  std::optional<ArchiveReader::Part> next_of_reader();

  ArchiveReader& reader_;
  PassedBytes& passed_;
  std::vector<std::string>& damage_;
  const std::string& path_;
  std::uint64_t given_ = 0;
  std::vector<std::byte> first_;
  std::vector<std::byte> taken_;
  std::optional<ArchiveReader::Part> held_;
};

// A file in a bundle as bytes alone, zeros included.
class ContentStream final : public ByteStream {
 public:
  // `content` must outlive the stream.
  ContentStream(BundledContent& content, std::string name);

  [[nodiscard]] std::span<const std::byte> next() override;
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  BundledContent& content_;
  std::string name_;
  std::vector<std::byte> zeros_;
  std::uint64_t zeros_left_ = 0;
  std::span<const std::byte> bytes_;
};

}  // namespace photon_dmesg
