#include "rpm/rpm_package.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <rpm/header.h>
#include <rpm/rpmfi.h>
#include <rpm/rpmfiles.h>
#include <rpm/rpmlib.h>
#include <rpm/rpmpgp.h>
#include <rpm/rpmtag.h>
#include <rpm/rpmtd.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "base/archive_reader.h"
#include "base/error.h"
#include "rpm/digest.h"

namespace photon_dmesg {
namespace {

// Layout of a package file: RPM's documentation, docs/manual/format.md.
constexpr std::size_t lead_bytes = 96;
constexpr std::uint32_t lead_magic = 0xedabeedb;
constexpr std::size_t header_magic_bytes = 8;
constexpr std::string_view header_magic("\x8e\xad\xe8\x01", 4);
constexpr std::size_t header_intro_bytes = header_magic_bytes + 8;
constexpr std::uint64_t index_entry_bytes = 16;
constexpr std::uint64_t header_bytes_limit = 256 * 1024 * 1024;  // librpm's own limit

struct FreeHeader {
  void operator()(headerToken_s* header) const { headerFree(header); }
};
using HeaderPtr = std::unique_ptr<headerToken_s, FreeHeader>;

struct FreeFiles {
  void operator()(rpmfiles_s* files) const { rpmfilesFree(files); }
};

std::uint32_t big_endian_u32(std::span<const std::byte> bytes) {
  std::uint32_t value = 0;
  for (const std::byte byte : bytes.first(4)) {
    value = value << 8 | std::to_integer<std::uint32_t>(byte);
  }
  return value;
}

HeaderPtr import_header(std::vector<std::byte>& blob, const char* what) {
  // librpm wants the blob behind the magic and checks every offset and count in it.
  HeaderPtr header(headerImport(blob.data() + header_magic_bytes,
                                static_cast<unsigned>(blob.size() - header_magic_bytes),
                                HEADERIMPORT_COPY));
  if (!header) {
    throw unusable(fmt::format("expected an RPM {}, found a damaged one", what));
  }
  return header;
}

std::string header_string(headerToken_s* header, rpmTag tag) {
  const char* text = headerGetString(header, tag);
  return text == nullptr ? "" : text;
}

// The header's digest stands in the signature: SHA-256 since rpm 4.14, SHA-1 before.
void check_header_digest(headerToken_s* signature, const std::vector<std::byte>& header) {
  constexpr std::array digests = {std::pair{RPMSIGTAG_SHA256, PGPHASHALGO_SHA256},
                                  std::pair{RPMSIGTAG_SHA1, PGPHASHALGO_SHA1}};
  for (const auto& [tag, algorithm] : digests) {
    const std::string expected = header_string(signature, static_cast<rpmTag>(tag));
    if (expected.empty()) continue;
    Digest digest(algorithm);
    digest.update(header);
    const std::string found = digest.finish();
    if (found != expected) {
      throw unusable(
          fmt::format("damaged RPM header: expected the digest {}, found {}", expected, found));
    }
    return;
  }
}

std::vector<RpmPackage::File> list_files(headerToken_s* header) {
  const std::unique_ptr<rpmfiles_s, FreeFiles> files(
      rpmfilesNew(nullptr, header, RPMTAG_BASENAMES, RPMFI_KEEPHEADER));
  std::vector<RpmPackage::File> result;
  const int count = files ? static_cast<int>(rpmfilesFC(files.get())) : 0;
  for (int i = 0; i < count; ++i) {
    RpmPackage::File file;
    const std::unique_ptr<char, decltype(&std::free)> path(rpmfilesFN(files.get(), i), std::free);
    file.path = path ? path.get() : "";
    file.size = rpmfilesFSize(files.get(), i);
    file.regular_file = S_ISREG(rpmfilesFMode(files.get(), i));
    std::size_t digest_bytes = 0;
    const unsigned char* digest =
        rpmfilesFDigest(files.get(), i, &file.digest_algorithm, &digest_bytes);
    if (digest != nullptr) {
      file.digest = fmt::format("{:02x}", fmt::join(digest, digest + digest_bytes, ""));
    }
    result.push_back(std::move(file));
  }
  return result;
}

// cpio names may begin with "./" or "/".
std::string_view without_root(std::string_view path) {
  if (path.starts_with('.')) path.remove_prefix(1);
  while (path.starts_with('/')) path.remove_prefix(1);
  return path;
}

class VerifiedFileStream final : public ByteStream {
 public:
  VerifiedFileStream(ArchiveReader reader, RpmPackage::File file, std::string name)
      : reader_(std::move(reader)), file_(std::move(file)), name_(std::move(name)) {
    if (!file_.digest.empty()) digest_.emplace(file_.digest_algorithm);
  }

  std::span<const std::byte> next() override {
    return with_context(name_, [&] {
      const std::span<const std::byte> bytes = reader_.next_data();
      if (bytes.empty()) {
        check_end();
      } else if (digest_) {
        digest_->update(bytes);
      }
      size_ += bytes.size();
      return bytes;
    });
  }

  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  void check_end() {
    if (size_ != file_.size) {
      throw unusable(fmt::format("damaged: expected {} bytes, found {}", file_.size, size_));
    }
    if (!digest_) return;
    const std::string found = digest_->finish();
    digest_.reset();
    if (found != file_.digest) {
      throw unusable(fmt::format("damaged: expected the digest {}, found {}", file_.digest, found));
    }
  }

  ArchiveReader reader_;
  RpmPackage::File file_;
  std::string name_;
  std::optional<Digest> digest_;
  std::uint64_t size_ = 0;
};

}  // namespace

// The package's bytes: read exactly while the header is taken apart, then handed on as a stream.
class RpmPackage::Input final : public ByteStream {
 public:
  explicit Input(std::unique_ptr<ByteStream> stream) : stream_(std::move(stream)) {}

  std::vector<std::byte> take(std::size_t count, const char* what) {
    std::vector<std::byte> taken;
    while (taken.size() < count) {
      if (rest_.empty()) rest_ = stream_->next();
      if (rest_.empty()) {
        throw unusable(
            fmt::format("truncated: expected {} ({} bytes), found {}", what, count, taken.size()));
      }
      const std::size_t part = std::min(count - taken.size(), rest_.size());
      taken.insert(taken.end(), rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(part));
      rest_ = rest_.subspan(part);
    }
    return taken;
  }

  // One header structure with its magic: intro, index, data.
  std::vector<std::byte> take_header(const char* what) {
    std::vector<std::byte> header = take(header_intro_bytes, what);
    const std::string_view magic(reinterpret_cast<const char*>(header.data()), header_magic.size());
    if (magic != header_magic) {
      throw unusable(fmt::format("expected an RPM {} (8eade801), found other bytes", what));
    }
    const std::span<const std::byte> intro(header);
    const std::uint64_t entries = big_endian_u32(intro.subspan(header_magic_bytes));
    const std::uint64_t data = big_endian_u32(intro.subspan(header_magic_bytes + 4));
    if (entries * index_entry_bytes + data > header_bytes_limit) {
      throw unusable(fmt::format("RPM {}: expected at most {} bytes, found {}", what,
                                 header_bytes_limit, entries * index_entry_bytes + data));
    }
    const std::vector<std::byte> body = take(entries * index_entry_bytes + data, what);
    header.insert(header.end(), body.begin(), body.end());
    return header;
  }

  std::span<const std::byte> next() override {
    return rest_.empty() ? stream_->next() : std::exchange(rest_, {});
  }

  [[nodiscard]] const std::string& name() const override { return stream_->name(); }

 private:
  std::unique_ptr<ByteStream> stream_;
  std::span<const std::byte> rest_;
};

bool is_rpm_package(const ByteSource& source) {
  std::array<std::byte, sizeof(lead_magic)> magic{};
  if (!source.contains(0, magic.size())) {
    return false;
  }
  source.read_at(0, magic);
  return big_endian_u32(magic) == lead_magic;
}

RpmPackage::RpmPackage(std::unique_ptr<ByteStream> stream)
    : input_(std::make_unique<Input>(std::move(stream))) {
  with_context(input_->name(), [&] {
    const std::vector<std::byte> lead = input_->take(lead_bytes, "an RPM lead");
    if (big_endian_u32(lead) != lead_magic) {
      throw unusable("expected an RPM package (magic edabeedb), found other bytes");
    }
    std::vector<std::byte> signature_blob = input_->take_header("signature");
    constexpr std::size_t signature_alignment = 8;
    const std::size_t padding =
        (signature_alignment - signature_blob.size() % signature_alignment) % signature_alignment;
    (void)input_->take(padding, "the signature's padding");
    const HeaderPtr signature = import_header(signature_blob, "signature");
    std::vector<std::byte> header_blob = input_->take_header("header");
    check_header_digest(signature.get(), header_blob);
    Digest digest(PGPHASHALGO_SHA256);
    digest.update(header_blob);
    header_digest_ = digest.finish();
    const HeaderPtr header = import_header(header_blob, "header");
    label_ = fmt::format("{}-{}-{}.{}", header_string(header.get(), RPMTAG_NAME),
                         header_string(header.get(), RPMTAG_VERSION),
                         header_string(header.get(), RPMTAG_RELEASE),
                         header_string(header.get(), RPMTAG_ARCH));
    compressor_ = header_string(header.get(), RPMTAG_PAYLOADCOMPRESSOR);
    // rpm's default; it writes no tag for an uncompressed payload either, which the gzip filter
    // lets through.
    if (compressor_.empty()) compressor_ = "gzip";
    files_ = list_files(header.get());
  });
}

RpmPackage::~RpmPackage() = default;

const std::string& RpmPackage::name() const {
  return input_->name();
}

std::unique_ptr<ByteStream> RpmPackage::open(const File& file) {
  return with_context(name(), [&]() -> std::unique_ptr<ByteStream> {
    ArchiveReader reader = ArchiveReader::open_cpio(*input_, compressor_);
    while (const std::optional<ArchiveReader::Member> member = reader.next_member()) {
      if (member->regular_file && without_root(member->path) == without_root(file.path)) {
        return std::make_unique<VerifiedFileStream>(std::move(reader), file,
                                                    fmt::format("{}: {}", name(), file.path));
      }
    }
    throw unusable(fmt::format("expected {} in the payload, found its end", file.path));
  });
}

}  // namespace photon_dmesg
