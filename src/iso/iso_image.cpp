#include "iso/iso_image.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/byte_reader.h"
#include "base/error.h"
#include "iso/iso_reader.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t descriptor_identifier_offset = 0x8001;
constexpr std::string_view descriptor_identifier = "CD001";

class IsoFileStream final : public ByteStream {
 public:
  // `reader` stands at the file.
  IsoFileStream(IsoReader& reader, std::string name, std::uint64_t size)
      : reader_(reader), name_(std::move(name)), left_(size) {}

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
  IsoReader& reader_;
  std::string name_;
  std::uint64_t left_;
};

// The same with a reader of its own.
class OwnedIsoFileStream final : public ByteStream {
 public:
  OwnedIsoFileStream(std::unique_ptr<IsoReader> reader, std::string name, std::uint64_t size)
      : reader_(std::move(reader)), stream_(*reader_, std::move(name), size) {}

  [[nodiscard]] std::span<const std::byte> next() override { return stream_.next(); }
  [[nodiscard]] const std::string& name() const override { return stream_.name(); }

 private:
  std::unique_ptr<IsoReader> reader_;
  IsoFileStream stream_;
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
    IsoReader reader(path_);
    File last;  // with a content of its own: its other names follow it
    while (const std::optional<IsoReader::Member> member = reader.next_member()) {
      if (unlisted_.empty()) unlisted_ = member->problem;
      if (!member->regular_file) continue;
      if (member->link_target.empty()) {
        last = files_.emplace_back(File{member->path, member->size, member->path});
      } else if (member->link_target == last.path) {
        files_.push_back({member->path, last.size, last.path});
      }
    }
  });
}

void IsoImage::for_each_file(
    ByteStream& stream, const std::function<bool(const File& file, ByteStream& content)>& visit) {
  IsoReader reader(stream);
  const auto next = [&] {
    return with_context(stream.name(), [&] { return reader.next_member(); });
  };
  while (const std::optional<IsoReader::Member> member = next()) {
    if (!member->regular_file || !member->link_target.empty()) continue;
    const File file{member->path, member->size, member->path};
    IsoFileStream content(reader, fmt::format("{}: {}", stream.name(), file.path), file.size);
    if (!visit(file, content)) return;
  }
}

std::unique_ptr<ByteStream> IsoImage::open(const File& file) const {
  std::string name = fmt::format("{}: {}", path_.string(), file.path);
  return with_context(name, [&]() -> std::unique_ptr<ByteStream> {
    auto reader = std::make_unique<IsoReader>(path_);
    while (const std::optional<IsoReader::Member> member = reader->next_member()) {
      if (member->regular_file && member->path == file.content) {
        return std::make_unique<OwnedIsoFileStream>(std::move(reader), std::move(name), file.size);
      }
    }
    throw unusable("the file is no longer there");
  });
}

}  // namespace photon_dmesg
