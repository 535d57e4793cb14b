#include "rpm/rpm_package.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <map>
#include <utility>

#include "base/decompression.h"
#include "base/error.h"
#include "rpm/cpio_reader.h"
#include "rpm/digest.h"
#include "rpm/header_tag.h"
#include "rpm/librpm.h"
#include "rpm/payload_format.h"

namespace photon_dmesg {
namespace {

// Layout of a package file: RPM's documentation, docs/manual/format.md.
constexpr std::size_t lead_bytes = 96;
constexpr std::uint32_t lead_magic = 0xedabeedb;
constexpr std::size_t header_magic_bytes = 8;
constexpr std::string_view header_magic("\x8e\xad\xe8\x01", 4);
constexpr std::size_t header_intro_bytes = header_magic_bytes + 8;
constexpr std::uint64_t index_entry_bytes = 16;

// Many times what a kernel's package has. librpm, which copies it, would take 256 MiB.
constexpr std::uint64_t header_bytes_limit = 32 * 1024 * 1024;

// A header has a folder's name once, however many files are in it: their paths together may be far
// longer than it is. Those of the largest package known take 2 MB.
constexpr std::uint64_t most_path_bytes = 64 * 1024 * 1024;

// Verifying, unpacking and reading what is unpacked each have a thread. This much waits between
// them, so that none waits over what takes its neighbour a moment longer. What is left of a package
// when enough of it is unpacked is verified then, the faster work.
constexpr std::size_t most_ahead = std::size_t{2} * 1024 * 1024;

struct FreeHeader {
  void operator()(headerToken_s* header) const { librpm().headerFree(header); }
};
using HeaderPtr = std::unique_ptr<headerToken_s, FreeHeader>;

std::uint32_t big_endian_u32(std::span<const std::byte> bytes) {
  std::uint32_t value = 0;
  for (const std::byte byte : bytes.first(4)) {
    value = value << 8 | std::to_integer<std::uint32_t>(byte);
  }
  return value;
}

HeaderPtr import_header(std::vector<std::byte>& blob, const char* what) {
  // librpm wants the blob behind the magic and checks every offset and count in it.
  HeaderPtr header(librpm().headerImport(blob.data() + header_magic_bytes,
                                         static_cast<unsigned>(blob.size() - header_magic_bytes),
                                         HEADERIMPORT_COPY));
  if (!header) {
    throw unusable(fmt::format("expected an RPM {}, found a damaged one", what));
  }
  return header;
}

std::string header_text(headerToken_s* header, rpmTag tag) {
  return HeaderTag(header, tag).text().value_or("");
}

// As rpm finds them (rpmfilesBuildNLink() in lib/rpmfi.c): what is not in the payload is none.
void find_hard_links(headerToken_s* header, std::vector<RpmPackage::File>& files) {
  const HeaderTag devices(header, RPMTAG_FILEDEVICES);
  const HeaderTag inodes(header, RPMTAG_FILEINODES);
  const HeaderTag flags(header, RPMTAG_FILEFLAGS);
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::size_t> last_names;
  for (std::size_t i = files.size(); i-- > 0;) {
    const bool is_ghost = (flags.number(i).value_or(0) & RPMFILE_GHOST) != 0;
    const auto inode = inodes.number(i);
    if (!files[i].regular_file || is_ghost || !inode) continue;
    const auto [last, is_last] = last_names.try_emplace({devices.number(i).value_or(0), *inode}, i);
    if (!is_last) files[i].last_name = last->second;
  }
}

// Of the files' tags each has a value for each file, or is absent; folders have a list of their
// own.
std::vector<RpmPackage::File> list_files(headerToken_s* header) {
  const HeaderTag names(header, RPMTAG_BASENAMES);
  const HeaderTag folders(header, RPMTAG_DIRNAMES);
  const HeaderTag folder_of(header, RPMTAG_DIRINDEXES);
  const HeaderTag sizes(header, RPMTAG_FILESIZES);
  const HeaderTag long_sizes(header, RPMTAG_LONGFILESIZES);  // where one has 4 GiB or more
  const HeaderTag modes(header, RPMTAG_FILEMODES);
  const HeaderTag digests(header, RPMTAG_FILEDIGESTS);
  const HeaderTag algorithm(header, RPMTAG_FILEDIGESTALGO);
  std::vector<RpmPackage::File> files;
  std::uint64_t path_bytes = 0;
  for (std::size_t i = 0; i < names.count(); ++i) {
    const auto name = names.text(i);
    const auto folder = folders.text(folder_of.number(i).value_or(folders.count()));
    if (!name || !folder) throw unusable(fmt::format("damaged header: file {} has no name", i));
    path_bytes += folder->size() + name->size();
    if (path_bytes > most_path_bytes) {
      throw unusable(fmt::format("damaged header: expected paths of at most {} bytes together",
                                 most_path_bytes));
    }
    RpmPackage::File& file = files.emplace_back();
    file.path = *folder + *name;
    file.size = long_sizes.number(i).value_or(sizes.number(i).value_or(0));
    const auto mode = static_cast<mode_t>(modes.number(i).value_or(0));
    file.regular_file = S_ISREG(mode);
    file.symbolic_link = S_ISLNK(mode);
    file.digest = digests.text(i).value_or("");
    file.digest_algorithm = static_cast<int>(algorithm.number().value_or(PGPHASHALGO_MD5));
  }
  find_hard_links(header, files);
  return files;
}

// cpio names may begin with "./" or "/".
std::string_view without_root(std::string_view path) {
  if (path.starts_with('.')) path.remove_prefix(1);
  while (path.starts_with('/')) path.remove_prefix(1);
  return path;
}

class FileContent final : public ByteStream {
 public:
  FileContent(CpioReader reader, RpmPackage::File file, std::string name,
              const RpmPackage::OnMismatch& on_mismatch, std::vector<std::string>& verified,
              bool check_digest)
      : reader_(std::move(reader)),
        file_(std::move(file)),
        name_(std::move(name)),
        on_mismatch_(on_mismatch),
        verified_(verified) {
    if (check_digest && !file_.digest.empty()) digest_.emplace(file_.digest_algorithm);
  }

  [[nodiscard]] std::span<const std::byte> next() override {
    return with_context(name_, [&] {
      const std::span<const std::byte> bytes = reader_.next_data();
      if (bytes.empty()) {
        check_end();
      } else if (digest_) {
        digest_->update(bytes);
      }
      return bytes;
    });
  }

  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  void check_end() {
    if (!digest_) return;
    const std::string found = digest_->finish();
    digest_.reset();
    if (found == file_.digest) {
      verified_.push_back(fmt::format("digest of {}", file_.path));
    } else {
      on_mismatch_(fmt::format("{}: digest: expected {}, found {}", name_, file_.digest, found));
    }
  }

  CpioReader reader_;
  RpmPackage::File file_;
  std::string name_;
  const RpmPackage::OnMismatch& on_mismatch_;
  std::vector<std::string>& verified_;
  std::optional<Digest> digest_;
};

// One header structure with its magic: intro, index, data.
std::vector<std::byte> take_header(StreamReader& input, const char* what) {
  std::vector<std::byte> header = input.take(header_intro_bytes, what);
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
  const std::uint64_t body = entries * index_entry_bytes + data;
  header.reserve(header.size() + body);
  input.append_to(header, body, what);
  return header;
}

// The signature, and what fills it up to where the header begins.
HeaderPtr take_signature(StreamReader& input) {
  std::vector<std::byte> blob = take_header(input, "signature");
  constexpr std::size_t alignment = 8;
  input.skip((alignment - blob.size() % alignment) % alignment, "the signature's padding");
  return import_header(blob, "signature");
}

bool names_file(const CpioReader::Member& member, const RpmPackage::File& file) {
  return member.regular_file && without_root(member.path) == without_root(file.path);
}

Error unknown_format(std::string_view how) {
  return unusable(
      fmt::format("its payload {}, which this program does not know: take the files out of it with "
                  "rpm2cpio, and name the vmlinux or System.map",
                  how));
}

// Goes to the member that holds the content of `file`; false if there is none. Of several names of
// one file (hard links), only the last has it.
bool go_to(CpioReader& reader, const RpmPackage::File& file) {
  std::optional<std::uint64_t> inode;
  while (const std::optional<CpioReader::Member> member = reader.next_member()) {
    if (!names_file(*member, file) && (!inode || member->inode != inode)) continue;
    if (member->size == file.size) return true;
    if (member->size != 0) {
      throw unusable(fmt::format("{}: damaged: expected {} bytes, found {}", file.path, file.size,
                                 member->size));
    }
    inode = member->inode;
  }
  return false;
}

}  // namespace

// The rest of the package's bytes; what proves them is computed as they come by.
class RpmPackage::Payload final : public ByteStream {
 public:
  Payload(StreamReader& input, PackageChecks& checks, const std::string& name)
      : input_(input), checks_(checks), name_(name) {}

  [[nodiscard]] std::span<const std::byte> next() override {
    const std::span<const std::byte> bytes = input_.next();
    checks_.update(bytes);
    return bytes;
  }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  StreamReader& input_;
  PackageChecks& checks_;
  const std::string& name_;
};

bool is_rpm_package(const ByteSource& source) {
  std::array<std::byte, sizeof(lead_magic)> magic{};
  if (!source.contains(0, magic.size())) {
    return false;
  }
  source.read_at(0, magic);
  return big_endian_u32(magic) == lead_magic;
}

std::string lead_name(const ByteSource& source) {
  constexpr std::uint64_t name_at = 10;
  std::string name(66, '\0');
  if (!source.contains(name_at, name.size())) return {};
  source.read_at(name_at, std::as_writable_bytes(std::span(name)));
  return name.substr(0, name.find('\0'));
}

RpmPackage::RpmPackage(std::unique_ptr<ByteStream> stream, const Keyring& keyring,
                       OnMismatch on_mismatch)
    : stream_(std::move(stream)),
      on_mismatch_(std::move(on_mismatch)),
      input_(std::make_unique<StreamReader>(*stream_)) {
  with_context(name(), [&] {
    const std::vector<std::byte> lead = input_->take(lead_bytes, "an RPM lead");
    if (big_endian_u32(lead) != lead_magic) {
      throw unusable("expected an RPM package (magic edabeedb), found other bytes");
    }
    const HeaderPtr signature = take_signature(*input_);
    std::vector<std::byte> header_blob = take_header(*input_, "header");
    Digest digest = Digest::sha256();
    digest.update(header_blob);
    header_digest_ = digest.finish();
    const HeaderPtr header = import_header(header_blob, "header");
    checks_ = std::make_unique<PackageChecks>(signature.get(), header.get(), header_blob, keyring);
    label_ = fmt::format("{}-{}-{}.{}", header_text(header.get(), RPMTAG_NAME),
                         header_text(header.get(), RPMTAG_VERSION),
                         header_text(header.get(), RPMTAG_RELEASE),
                         header_text(header.get(), RPMTAG_ARCH));
    compressor_ = header_text(header.get(), RPMTAG_PAYLOADCOMPRESSOR);
    if (compressor_.empty()) compressor_ = "gzip";  // rpm's default
    unknown_payload_ = unknown_payload_format(header.get());
    build_time_ =
        static_cast<std::int64_t>(HeaderTag(header.get(), RPMTAG_BUILDTIME).number().value_or(0));
    files_ = list_files(header.get());
  });
  report(checks_->finish_header());
}

RpmPackage::~RpmPackage() = default;

void RpmPackage::report(const PackageChecks::Result& result) {
  verified_.insert(verified_.end(), result.passed.begin(), result.passed.end());
  unverified_.insert(unverified_.end(), result.not_checked.begin(), result.not_checked.end());
  superseded_.insert(superseded_.end(), result.superseded.begin(), result.superseded.end());
  for (const std::string& failed : result.failed) {
    on_mismatch_(fmt::format("{}: {}", name(), failed));
  }
}

bool RpmPackage::payload_can_be_verified() const {
  return checks_->cover_payload();
}

const PackageChecks::Result& RpmPackage::payload_result() {
  if (!payload_result_) {
    if (ahead_) {
      unpacked_ahead_.reset();  // which reads from it
      ahead_->drain();
    } else {
      Payload payload(*input_, *checks_, name());
      while (!payload.next().empty()) {
      }
    }
    payload_result_ = checks_->finish_payload();
  }
  return *payload_result_;
}

void RpmPackage::verify_payload() {
  report(with_context(name(), [&] { return payload_result(); }));
}

bool RpmPackage::find_content(CpioReader& reader, const File& file) {
  try {
    return go_to(reader, file);
  } catch (const Error& error) {
    if (!payload_can_be_verified()) throw;
    const PackageChecks::Result& result = payload_result();
    if (!result.failed.empty() || result.passed.empty()) throw;
    throw unknown_format(
        fmt::format("is of a format (its digest fits, and yet: {})", error.what()));
  }
}

std::unique_ptr<ByteStream> RpmPackage::open(const File& file) {
  return with_context(name(), [&]() -> std::unique_ptr<ByteStream> {
    if (unknown_payload_) throw unknown_format(*unknown_payload_);
    payload_ = std::make_unique<Payload>(*input_, *checks_, name());
    ahead_ = std::make_unique<PrefetchStream>(*payload_, most_ahead);
    unpacked_ = decompress(*ahead_, compressor_);
    unpacked_ahead_ = std::make_unique<PrefetchStream>(*unpacked_, most_ahead);
    CpioReader reader(*unpacked_ahead_, files_);
    if (!find_content(reader, file)) {
      throw unusable(fmt::format("expected {} in the payload, found its end", file.path));
    }
    // What proves the payload proves its files, at a fifth of their bytes.
    return std::make_unique<FileContent>(std::move(reader), file,
                                         fmt::format("{}: {}", name(), file.path), on_mismatch_,
                                         verified_, !payload_can_be_verified());
  });
}

}  // namespace photon_dmesg
