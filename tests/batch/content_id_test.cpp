#include "batch/content_id.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t large = std::uint64_t{64} << 20U;

// Changes a byte as whoever puts another file there does: it was written at another time then.
void change(const fs::path& path, std::streamoff offset) {
  const auto written = fs::last_write_time(path);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(offset);
  file.put('!');
  file.close();
  fs::last_write_time(path, written + std::chrono::seconds(1));
}

}  // namespace

TEST_CASE("content_id: of a file that is read as a whole its content alone counts") {
  const TemporaryFolder folder;
  const fs::path path = folder.write("vm.vmss", "content");
  const fs::path copy = folder.write("copy.vmss", "content");
  fs::last_write_time(copy, fs::last_write_time(path) - std::chrono::hours(1));
  CHECK(content_id(path) == content_id(copy));
  folder.write("copy.vmss", "Content");
  CHECK(content_id(path) != content_id(copy));
}

TEST_CASE("content_id: of a large file its size and pieces of it count") {
  const TemporaryFolder folder;
  const fs::path path = folder.write("photon.iso", "content");
  fs::resize_file(path, large);
  const std::string before = content_id(path);
  change(path, 200'000);  // between two pieces
  CHECK(content_id(path) == before);
  change(path, large - 1);
  CHECK(content_id(path) != before);
}

TEST_CASE("evidence_id: of a file that is read as a whole its content alone counts") {
  const TemporaryFolder folder;
  const fs::path path = folder.write("vm.vmss", "content");
  const std::string before = evidence_id(path);
  fs::last_write_time(path, fs::last_write_time(path) - std::chrono::hours(1));
  CHECK(evidence_id(path) == before);
}

TEST_CASE("evidence_id: a large file that was written to since is another one") {
  const TemporaryFolder folder;
  const fs::path path = folder.write("vm.vmem", "content");
  fs::resize_file(path, large);
  const std::string before = evidence_id(path);
  CHECK(evidence_id(path) == before);
  SECTION("where nobody looks") {
    change(path, 200'000);
    CHECK(evidence_id(path) != before);
  }
  SECTION("in a piece, and its date was set back") {
    const auto written = fs::last_write_time(path);
    change(path, large - 1);
    fs::last_write_time(path, written);
    CHECK(evidence_id(path) != before);
  }
}

TEST_CASE("content_id: of a folder its names and sizes count") {
  const TemporaryFolder folder;
  folder.write("kernel.rpm", "content");
  const std::string before = content_id(folder.path());
  folder.write("kernel.rpm", "another");
  CHECK(content_id(folder.path()) == before);
  folder.write("kernel.rpm", "longer than that");
  CHECK(content_id(folder.path()) != before);
}

TEST_CASE("symbols_id: of a folder the content of each file in it counts") {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "deep");
  folder.write("deep/kernel.rpm", "content");
  const std::string before = symbols_id(folder.path());
  CHECK(symbols_id(folder.path()) == before);
  folder.write("deep/kernel.rpm", "another");
  CHECK(symbols_id(folder.path()) != before);
  folder.write("deep/kernel.rpm", "content");
  CHECK(symbols_id(folder.path()) == before);
  fs::rename(folder.path() / "deep/kernel.rpm", folder.path() / "kernel.rpm");
  CHECK(symbols_id(folder.path()) != before);
}

}  // namespace photon_dmesg::test
