#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace photon_dmesg {

// Bytes of known length that can be read at any offset: a file, a block inside one, a buffer.
// The only place where an offset and a length that come from a file are checked against what is
// really there.
class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  // Length in bytes.
  [[nodiscard]] virtual std::uint64_t size() const = 0;

  // What messages call these bytes, such as the file's path.
  [[nodiscard]] virtual const std::string& name() const = 0;

  // The descriptor of a file that holds exactly these bytes, owned by this object; nothing if there
  // is none. For what the system or a library does on whole files.
  [[nodiscard]] virtual std::optional<int> descriptor() const { return std::nullopt; }

  // Where at or behind `offset` the next bytes stand that may be other than zero, and where behind
  // those the next hole begins; size() if there is none. What is in no hole may be zero as well.
  [[nodiscard]] virtual std::uint64_t next_data(std::uint64_t offset) const { return offset; }
  [[nodiscard]] virtual std::uint64_t data_end(std::uint64_t /*offset*/) const { return size(); }

  // Whether `length` bytes at `offset` exist; does not overflow.
  [[nodiscard]] bool contains(std::uint64_t offset, std::uint64_t length) const {
    return offset <= size() && length <= size() - offset;
  }

  // Fills `target` from `offset`. Throws Error(UnusableInput) that says what was asked for and
  // where the bytes end, or what the system said.
  void read_at(std::uint64_t offset, std::span<std::byte> target) const;

 private:
  // Reads a range that is known to exist.
  virtual void read_checked(std::uint64_t offset, std::span<std::byte> target) const = 0;
};

// A ByteSource over bytes that somebody else owns and that outlive it.
class BufferSource final : public ByteSource {
 public:
  BufferSource(std::string name, std::span<const std::byte> bytes)
      : name_(std::move(name)), bytes_(bytes) {}

  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  void read_checked(std::uint64_t offset, std::span<std::byte> target) const override;

  std::string name_;
  std::span<const std::byte> bytes_;
};

}  // namespace photon_dmesg
