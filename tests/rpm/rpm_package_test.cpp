#include "rpm/rpm_package.h"

#include <rpm/rpmpgp.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "base/file_stream.h"
#include "base/input_file.h"
#include "support/bytes.h"
#include "support/cpio_writer.h"
#include "support/errors.h"
#include "support/file_content.h"
#include "support/rpm_tags.h"
#include "support/short_stream.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

const Keyring no_keys;

RpmPackage open(const ByteSource& source) {
  return RpmPackage(std::make_unique<FileStream>(source), no_keys,
                    [](const std::string& mismatch) { throw unusable(mismatch); });
}

const std::filesystem::path packages = PACKAGE_FOLDER;
const std::string vmlinux_path = "/usr/lib/debug/lib/modules/6.1.10-1.ph5/vmlinux-6.1.10-1.ph5";

RpmPackage::File file_of(const RpmPackage& package, const std::string& path) {
  const auto found = std::find_if(package.files().begin(), package.files().end(),
                                  [&](const RpmPackage::File& file) { return file.path == path; });
  REQUIRE(found != package.files().end());
  return *found;
}

std::string read_vmlinux(const ByteSource& source) {
  RpmPackage package = open(source);
  const auto stream = package.open(file_of(package, vmlinux_path));
  std::string content;
  for (auto bytes = stream->next(); !bytes.empty(); bytes = stream->next()) {
    content += as_text(bytes);
  }
  package.verify_payload();
  return content;
}

std::string read_vmlinux(const std::string& package) {
  return read_vmlinux(BufferSource("linux.rpm", as_bytes(package)));
}

}  // namespace

TEST_CASE("RpmPackage: the same file from every payload") {
  const std::string expected = file_content(PRINTK_RINGBUFFER_KERNEL);
  for (const auto& [payload, compressor] : {std::pair{"w6.gzdio", "gzip"},
                                            {"w3.zstdio", "zstd"},
                                            {"w0.xzdio", "xz"},
                                            {"w1.bzdio", "bzip2"},
                                            {"w0.lzdio", "lzma"},
                                            {"w.ufdio", "gzip"}}) {  // no tag: rpm's default
    CAPTURE(payload);
    const InputFile file(packages / (std::string(payload) + ".rpm"));
    REQUIRE(is_rpm_package(file));
    const RpmPackage package = open(file);
    CHECK(package.label() == "linux-debuginfo-6.1.10-1.ph5.x86_64");
    CHECK(package.compressor() == compressor);
    CHECK(read_vmlinux(file) == expected);
  }
}

TEST_CASE("RpmPackage: the header lists every file with its size, digest and kind") {
  const InputFile file(packages / "w6.gzdio.rpm");
  const RpmPackage package = open(file);
  const RpmPackage::File vmlinux = file_of(package, vmlinux_path);
  CHECK(vmlinux.size == std::filesystem::file_size(PRINTK_RINGBUFFER_KERNEL));
  CHECK(vmlinux.digest.size() == 64);
  CHECK(vmlinux.regular_file);
  CHECK_FALSE(file_of(package, "/usr/lib/debug/lib/modules/6.1.10-1.ph5/vmlinux").regular_file);
  CHECK_FALSE(file_of(package, "/usr/lib/debug/lib/modules/6.1.10-1.ph5").regular_file);
}

TEST_CASE("RpmPackage: files without folders are a damaged header") {
  constexpr std::uint32_t folders = 1118;
  const std::string other =
      without_tags(file_content(packages / "w.ufdio.rpm"), signature_proofs, {folders});
  check_fails(Failure::UnusableInput, "linux.rpm: damaged header: file 0 has no name",
              [&] { (void)read_vmlinux(other); });
}

TEST_CASE("RpmPackage: a tag that nobody asks for may be of another type than it should be") {
  // Of what kinds files may be: librpm's own list of files frees these texts as what they should
  // be.
  constexpr std::uint32_t kinds = 1142;
  constexpr char translated_text = 9;
  const std::string whole =
      without_tags(file_content(packages / "w.ufdio.rpm"), signature_proofs, {});
  const bool same = read_vmlinux(with_type(whole, kinds, translated_text)) ==
                    file_content(PRINTK_RINGBUFFER_KERNEL);
  CHECK(same);
}

TEST_CASE("RpmPackage: any tag may be of any type") {
  const auto try_types = [](const std::string& package, const std::vector<std::size_t>& entries) {
    for (const std::size_t entry : entries) {
      for (char type = 0; type < 11; ++type) {
        CAPTURE(entry, static_cast<int>(type));
        std::string other = package;
        other.at(entry + 7) = type;
        const BufferSource source("linux.rpm", as_bytes(other));
        try {
          const RpmPackage read = open(source);
          for (const RpmPackage::File& file : read.files()) CHECK_FALSE(file.path.empty());
        } catch (const Error& error) {
          CHECK(error.failure() == Failure::UnusableInput);
        }
      }
    }
  };
  const std::string whole = file_content(packages / "w.ufdio.rpm");
  try_types(whole, find_rpm_entries(whole).of_signature);
  try_types(without_tags(whole, signature_proofs, {}), find_rpm_entries(whole).of_header);
}

TEST_CASE("RpmPackage: many files in a folder with a long name take no more memory than is sane") {
  const auto files_of = [](std::size_t folder_bytes, std::size_t count) {
    const std::string package =
        package_of_files(std::string(folder_bytes, 'f'), std::vector<std::string>(count, "a"));
    const BufferSource source("linux.rpm", as_bytes(package));
    return open(source).files().size();
  };
  CHECK(files_of(1000, 100) == 100);
  check_fails(Failure::UnusableInput,
              "linux.rpm: damaged header: expected paths of at most 67108864 bytes together",
              [&] { (void)files_of(1'000'000, 100'000); });
}

TEST_CASE(
    "RpmPackage: of files that the payload names by number, a link is read by its last name") {
  // Of four names, the first and the third are one file's; another device's has the same number.
  const std::vector<std::string> names = {"a", "b", "c", "d"};
  const std::vector<RpmTag> tags = {
      {1028, 4, 4, rpm_numbers({7, 3, 7, 7})},  // sizes
      {1030, 3, 4, rpm_numbers({0100644, 0120777, 0100644, 0100644}, 2)},
      {1095, 4, 4, rpm_numbers({1, 1, 1, 2})},   // devices
      {1096, 4, 4, rpm_numbers({9, 8, 9, 9})}};  // inodes
  const std::string package =
      package_of_files("/boot/", names, tags,
                       stripped(0, "") + stripped(1, "to!") + stripped(2, "content") +
                           stripped(3, "another") + trailer);
  const auto read = [&](const std::string& path) {
    const BufferSource source("linux.rpm", as_bytes(package));
    RpmPackage opened = open(source);
    return read_all(*opened.open(file_of(opened, path)));
  };
  CHECK(read("/boot/a") == "content");
  CHECK(read("/boot/c") == "content");
  CHECK(read("/boot/d") == "another");
}

TEST_CASE("RpmPackage: other bytes are no package") {
  CHECK_FALSE(is_rpm_package(BufferSource("file", as_bytes("\xed\xab\xee"))));
  check_fails(Failure::UnusableInput, "linux.rpm: expected an RPM package (magic edabeedb)",
              [] { (void)read_vmlinux(std::string(200, 'x')); });
}

TEST_CASE("RpmPackage: a payload that needs a newer rpm is named, and all else of it is read") {
  const InputFile file(packages / "aligned.rpm");
  RpmPackage package = open(file);
  CHECK(package.label() == "linux-debuginfo-6.1.10-1.ph5.x86_64");
  check_fails(
      Failure::UnusableInput,
      "aligned.rpm: its payload needs rpmlib(PayloadAlignment), which this program does not "
      "know: take the files out of it with rpm2cpio",
      [&] { (void)package.open(file_of(package, vmlinux_path)); });
}

TEST_CASE("RpmPackage: a payload that is no cpio archive is named by its format") {
  std::string other = file_content(packages / "w3.zstdio.rpm");
  const std::size_t format = other.find(std::string("\0cpio\0", 6));
  REQUIRE(format != std::string::npos);
  other.replace(format + 1, 4, "drpm");
  const BufferSource source("linux.rpm", as_bytes(other));
  RpmPackage package(std::make_unique<FileStream>(source), no_keys, [](const std::string&) {});
  check_fails(Failure::UnusableInput, R"(linux.rpm: its payload is of format "drpm", which)",
              [&] { (void)package.open(file_of(package, vmlinux_path)); });
}

TEST_CASE("RpmPackage: a payload that is proved and can't be read is not called damaged") {
  // Other headers in the archive, and the digests of what it then is.
  std::string other = without_tags(file_content(packages / "w.ufdio.rpm"), signature_proofs, {});
  const std::size_t payload = other.find("070701");
  REQUIRE(payload != std::string::npos);
  const auto digest = [&] {
    Digest of_payload(PGPHASHALGO_SHA256);
    of_payload.update(as_bytes(other.substr(payload)));
    return of_payload.finish();
  };
  const std::string before = digest();
  other.replace(payload, 6, "070799");
  const std::string after = digest();
  for (std::size_t at = other.find(before); at != std::string::npos; at = other.find(before)) {
    other.replace(at, after.size(), after);
  }
  const BufferSource source("linux.rpm", as_bytes(other));
  RpmPackage package = open(source);
  check_fails(Failure::UnusableInput,
              "linux.rpm: its payload is of a format (its digest fits, and yet: damaged cpio "
              "archive: expected a header (070701), found other bytes), which this program does "
              "not know",
              [&] { (void)package.open(file_of(package, vmlinux_path)); });
  package.verify_payload();
  CHECK(package.is_proved());
}

TEST_CASE("RpmPackage: a flipped bit anywhere is found out or changes nothing of the file") {
  const std::string expected = file_content(PRINTK_RINGBUFFER_KERNEL);
  for (const char* payload : {"w6.gzdio.rpm", "w3.zstdio.rpm", "w.ufdio.rpm"}) {
    const std::string whole = file_content(packages / payload);
    // Every byte of the beginning, samples behind it.
    for (std::size_t at = 0; at < whole.size(); at += at < 400 ? 1 : 997) {
      CAPTURE(payload, at);
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
      try {
        const bool same = read_vmlinux(damaged) == expected;
        CHECK(same);
      } catch (const Error& error) {
        CHECK_THAT(error.what(), Catch::StartsWith("linux.rpm"));
        CHECK(error.failure() == Failure::UnusableInput);
      }
    }
  }
}

TEST_CASE("RpmPackage: a flipped bit in the content fails its digest") {
  std::string damaged = file_content(packages / "w.ufdio.rpm");
  const std::string expected = file_content(PRINTK_RINGBUFFER_KERNEL);
  const std::size_t place = damaged.find(expected.substr(0, 64));
  REQUIRE(place != std::string::npos);
  damaged[place + 5000] = static_cast<char>(damaged[place + 5000] ^ 1);
  check_fails(Failure::UnusableInput, "linux.rpm: digest of the payload: expected",
              [&] { (void)read_vmlinux(damaged); });
}

TEST_CASE("RpmPackage: a flipped bit in the header fails the header's digest") {
  std::string damaged = file_content(packages / "w.ufdio.rpm");
  const std::size_t place = damaged.find("Fixture.");
  REQUIRE(place != std::string::npos);
  damaged[place] = 'G';
  check_fails(Failure::UnusableInput, "linux.rpm: SHA-256 of the header: expected",
              [&] { (void)read_vmlinux(damaged); });
}

TEST_CASE("RpmPackage: MD5 is not computed where header and payload have digests of their own") {
  const std::string whole = file_content(packages / "w.ufdio.rpm");
  const BufferSource source("linux.rpm", as_bytes(whole));
  RpmPackage package = open(source);
  package.verify_payload();
  CHECK(package.superseded() == std::vector<std::string>{"MD5 of header and payload"});
  CHECK(package.verified() == std::vector<std::string>{"SHA-256 of the header",
                                                       "SHA-1 of the header",
                                                       "digest of the payload"});
}

TEST_CASE("RpmPackage: MD5 is what proves a package that rpm made before 4.14") {
  const RpmTags newer_digests = {269, 273};
  const std::string whole = file_content(packages / "w.ufdio.rpm");
  const auto verify = [&](const RpmTags& of_signature, const RpmTags& of_header) {
    const std::string other = without_tags(whole, of_signature, of_header);
    const BufferSource source("linux.rpm", as_bytes(other));
    RpmPackage package = open(source);
    package.verify_payload();
    return package.verified();
  };
  CHECK(verify(newer_digests, {}) ==
        std::vector<std::string>{"digest of the payload", "MD5 of header and payload"});
  // The header is not what it was without the payload's digest in it, and MD5 finds that out.
  check_fails(Failure::UnusableInput, "linux.rpm: MD5 of header and payload: expected", [&] {
    (void)verify(newer_digests, {5092, 5093, 5097});
  });
}

TEST_CASE("RpmPackage: a package cut short is refused wherever the cut is") {
  for (const char* payload : {"w6.gzdio.rpm", "w3.zstdio.rpm", "w0.xzdio.rpm", "w.ufdio.rpm"}) {
    const std::string whole = file_content(packages / payload);
    // Up to the archive's trailer, which nothing that is asked for comes behind.
    for (std::size_t length = 0; length + 600 < whole.size(); length += length < 400 ? 1 : 1499) {
      CAPTURE(payload, length);
      check_fails(Failure::UnusableInput, "linux.rpm",
                  [&] { (void)read_vmlinux(whole.substr(0, length)); });
    }
  }
}

TEST_CASE("RpmPackage: a header of absurd size is refused before memory is taken for it") {
  std::string damaged = file_content(packages / "w.ufdio.rpm");
  damaged.replace(96 + 8, 4, "\xff\xff\xff\xff");
  check_fails(Failure::UnusableInput, "RPM signature: expected at most 33554432 bytes",
              [&] { (void)read_vmlinux(damaged); });
  // One byte more than that, with the entries that it has.
  std::string sparse = file_content(packages / "w.ufdio.rpm");
  const auto entries = static_cast<unsigned char>(sparse[96 + 11]);
  std::string size = little_endian(33554433 - 16 * entries, 4);
  std::reverse(size.begin(), size.end());
  sparse.replace(96 + 12, 4, size);
  check_fails(Failure::UnusableInput, "expected at most 33554432 bytes, found 33554433",
              [&] { (void)read_vmlinux(sparse); });
}

}  // namespace photon_dmesg::test
