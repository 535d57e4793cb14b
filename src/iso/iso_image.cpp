#include "iso/iso_image.h"

#include <fmt/format.h>

#include <optional>

#include "base/archive_reader.h"
#include "base/byte_reader.h"
#include "base/error.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t descriptor_identifier_offset = 0x8001;
constexpr std::string_view descriptor_identifier = "CD001";

class IsoFileStream final : public ByteStream {
 public:
  IsoFileStream(ArchiveReader reader, std::string name, std::uint64_t size)
      : reader_(std::move(reader)), name_(std::move(name)), left_(size) {}

  std::span<const std::byte> next() override {
    const std::span<const std::byte> bytes =
        with_context(name_, [&] { return reader_.next_data(); });
    if (bytes.size() > left_ || (bytes.empty() && left_ > 0)) {
      throw unusable(fmt::format("{}: truncated: {} bytes are missing", name_, left_));
    }
    left_ -= bytes.size();
    return bytes;
  }

  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  ArchiveReader reader_;
  std::string name_;
  std::uint64_t left_;
};

}  // namespace

bool is_iso_image(const ByteSource& source) {
  if (!source.contains(descriptor_identifier_offset, descriptor_identifier.size())) {
    return false;
  }
  ByteReader reader(source, descriptor_identifier_offset, source.size());
  return reader.text(descriptor_identifier.size(), "CD001") == descriptor_identifier;
}

IsoImage::IsoImage(std::filesystem::path path) : path_(std::move(path)) {
  with_context(path_.string(), [&] {
    ArchiveReader reader = ArchiveReader::open_iso(path_);
    while (const std::optional<ArchiveReader::Member> member = reader.next_member()) {
      if (member->regular_file) {
        files_.push_back({member->path, member->size});
      }
    }
  });
}

std::unique_ptr<ByteStream> IsoImage::open(const File& file) const {
  const std::string name = fmt::format("{}: {}", path_.string(), file.path);
  return with_context(name, [&]() -> std::unique_ptr<ByteStream> {
    ArchiveReader reader = ArchiveReader::open_iso(path_);
    while (const std::optional<ArchiveReader::Member> member = reader.next_member()) {
      if (member->regular_file && member->path == file.path) {
        return std::make_unique<IsoFileStream>(std::move(reader), name, file.size);
      }
    }
    throw unusable("the file is no longer there");
  });
}

}  // namespace photon_dmesg
