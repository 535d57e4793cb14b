#include "iso/iso_image.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>

#include "base/file_stream.h"
#include "base/input_file.h"
#include "base/little_endian.h"
#include "support/bytes.h"
#include "support/errors.h"
#include "support/file_content.h"
#include "support/iso_builder.h"
#include "support/short_stream.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

const std::string long_name =
    "DEBUGRPMS/x86_64/linux-esx-debuginfo-4.19.325-1.ph3.x86_64-with-a-name-of-some-length.rpm";

std::string content_of(std::size_t size) {
  std::string content;
  for (unsigned i = 0; content.size() < size; ++i) content += std::to_string(i) + ' ';
  return content.substr(0, size);
}

struct Sample {
  TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "photon.iso";
  std::string large = content_of(3'000'001);

  Sample() {
    write_iso(path,
              {{"isolinux/boot.cat", "boot"}, {long_name, large}, {"last", content_of(5000)}});
  }
};

std::string read_file(const std::filesystem::path& iso, const std::string& name) {
  const IsoImage image(iso);
  const auto file =
      std::find_if(image.files().begin(), image.files().end(),
                   [&](const IsoImage::File& candidate) { return candidate.path == name; });
  REQUIRE(file != image.files().end());
  return read_all(*image.open(*file));
}

}  // namespace

TEST_CASE("IsoImage: lists files by their Rock Ridge names and reads each") {
  const Sample sample;
  CHECK(is_iso_image(InputFile(sample.path)));
  const IsoImage image(sample.path);
  CHECK(image.files().size() == 3);
  CHECK(read_file(sample.path, long_name) == sample.large);
  CHECK(read_file(sample.path, "last") == content_of(5000));
  CHECK(read_file(sample.path, "isolinux/boot.cat") == "boot");
}

TEST_CASE("IsoImage: each of several names of one content has it, and a stream has it once") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "photon.iso";
  const std::string content = content_of(5000);
  write_iso(path, {{"b.rpm", content}, {"other", "file"}},
            {{"a.rpm", "b.rpm"}, {"folder/c.rpm", "b.rpm"}});
  for (const std::string name : {"a.rpm", "b.rpm", "folder/c.rpm"}) {
    CHECK(read_file(path, name) == content);
  }
  CHECK(read_file(path, "other") == "file");
  std::vector<std::string> contents;
  const InputFile file(path);
  FileStream stream(file);
  IsoImage::for_each_file(stream, [&](const IsoImage::File&, ByteStream& one) {
    contents.push_back(read_all(one));
    return true;
  });
  REQUIRE(contents.size() == 2);  // in whatever order
  CHECK(contents[0].size() + contents[1].size() == content.size() + 4);
}

TEST_CASE("IsoImage: directories are read no further than honest ones can be long") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "photon.iso";
  write_iso(path, {{"a.rpm", "package"}});
  // The size of the root directory, in both byte orders (ECMA-119, 8.4.18 and 9.1.4), and of the
  // volume, in sectors (8.4.8).
  constexpr std::uint32_t size = 100 << 20;
  std::fstream iso(path, std::ios::in | std::ios::out | std::ios::binary);
  for (const auto& [offset, number] :
       {std::pair{0x8000 + 156 + 10, size}, {0x8000 + 80, size / 1024}}) {
    iso.seekp(offset);
    for (int i = 0; i < 4; ++i) iso.put(static_cast<char>(number >> 8 * i));
    for (int i = 3; i >= 0; --i) iso.put(static_cast<char>(number >> 8 * i));
  }
  iso.close();
  std::filesystem::resize_file(path, std::uintmax_t{2} * size);
  check_fails(Failure::UnusableInput, "photon.iso: damaged: its list of files goes on at",
              [&] { (void)IsoImage(path); });
}

TEST_CASE("IsoImage: a folder that can't be read is said, and what else there is is listed") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "photon.iso";
  write_iso(path, {{"packages/a.rpm", "package"}, {"other", "file"}});
  CHECK(IsoImage(path).unlisted().empty());
  // Its record (ECMA-119, 9.1), in the root directory: the extent's place from 2 on, the name from
  // 33 on. Here it is that of the volume's descriptor.
  const std::string bytes = file_content(path);
  const std::size_t root = load_unsigned(as_bytes(bytes).subspan(0x8000 + 156 + 2, 4)) * 2048;
  const auto place = static_cast<std::streamoff>(bytes.find("PACKAGES", root)) - 33 + 2;
  std::fstream iso(path, std::ios::in | std::ios::out | std::ios::binary);
  iso.seekp(place);
  iso << std::string("\x10\0\0\0\0\0\0\x10", 8);
  iso.close();
  const IsoImage image(path);
  CHECK_THAT(image.unlisted(), Catch::Contains("out-of-order directory"));
  REQUIRE(image.files().size() == 1);
  CHECK(image.files().front().path == "other");
}

TEST_CASE("IsoImage: other files are no ISO") {
  const TemporaryFolder folder;
  CHECK_FALSE(is_iso_image(*folder.write_and_open("short", "CD001")));
  CHECK_FALSE(is_iso_image(*folder.write_and_open("zeros", std::string(100'000, '\0'))));
}

TEST_CASE("IsoImage: an image without its end fails with its name, never with wrong bytes") {
  const Sample sample;
  const auto size = std::filesystem::file_size(sample.path);
  std::size_t failures = 0;
  for (std::uintmax_t length = 0x8800; length < size; length += 100'000) {
    CAPTURE(length);
    std::filesystem::resize_file(sample.path, length);
    try {
      const bool same = read_file(sample.path, long_name) == sample.large;
      CHECK(same);
    } catch (const Error& error) {
      CHECK_THAT(error.what(), Catch::Contains("photon.iso"));
      CHECK(error.failure() == Failure::UnusableInput);
      ++failures;
    }
    std::filesystem::remove(sample.path);
    write_iso(
        sample.path,
        {{"isolinux/boot.cat", "boot"}, {long_name, sample.large}, {"last", content_of(5000)}});
  }
  CHECK(failures > 20);
}

}  // namespace photon_dmesg::test
