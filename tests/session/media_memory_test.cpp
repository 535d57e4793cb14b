#include "session/media_memory.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "support/file_content.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

namespace fs = std::filesystem;

struct Memory {
  TemporaryFolder folder;
  fs::path cache = folder.path() / "deep" / "cache";
  MediumState state{"8:1 4711", "1000 17.000000001 18.000000002"};
  WantedKernel wanted{"6.1.10-1.ph5", std::nullopt, "x86_64"};
  FoundPackage package{"RPMS/linux-debuginfo-6.1.10-1.ph5.x86_64.rpm",
                       "linux-debuginfo-6.1.10-1.ph5.x86_64",
                       "abcdef",
                       KernelFile::Kind::Vmlinux,
                       "/usr/lib/debug/lib/modules/6.1.10-1.ph5/vmlinux-6.1.10-1.ph5",
                       "6.1.10-1.ph5"};
  CollectedDiagnostics diagnostics;

  void keep() { MediaMemory(cache).keep(state, wanted, package, diagnostics); }
  [[nodiscard]] std::optional<FoundPackage> find() const {
    return MediaMemory(cache).find(state, wanted);
  }
  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(cache)) files.push_back(entry.path());
    return files;
  }
  [[nodiscard]] fs::path file() const { return files().at(0); }
  void write(const std::string& content) const {
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << content;
  }
};

}  // namespace

TEST_CASE("media memory: what is kept is found again") {
  Memory memory;
  CHECK_FALSE(memory.find());
  memory.keep();
  CHECK(memory.find() == memory.package);
  memory.package.kind = KernelFile::Kind::SystemMap;
  memory.package.kernel_file = "/boot/System.map-6.1.10-1.ph5";
  memory.keep();
  CHECK(memory.find() == memory.package);
  CHECK(memory.files().size() == 1);
}

TEST_CASE("media memory: it is of one medium, in one state, and of one kernel") {
  Memory memory;
  memory.keep();
  Memory other;
  other.cache = memory.cache;
  SECTION("another file") {
    other.state.file = "8:1 4712";
  }
  SECTION("changed since") {
    other.state.state = "1000 17.000000001 18.000000003";
  }
  SECTION("another release") {
    other.wanted.release = "6.1.10-2.ph5";
  }
  SECTION("another architecture") {
    other.wanted.architecture = "aarch64";
  }
  SECTION("an architecture that is not known") {
    other.wanted.architecture.reset();
  }
  CHECK_FALSE(other.find());
  CHECK(memory.find());
}

TEST_CASE("media memory: of a medium that was changed, what was known is replaced") {
  Memory memory;
  memory.keep();
  const MediumState before = memory.state;
  memory.state.state = "1001 27.000000001 28.000000002";
  memory.package.header_digest = "fedcba";
  memory.keep();
  CHECK(memory.find() == memory.package);
  CHECK(memory.files().size() == 1);
  memory.state = before;
  CHECK_FALSE(memory.find());
}

TEST_CASE("media memory: a file copied onto another's name is not believed") {
  Memory memory;
  memory.keep();
  const fs::path first = memory.file();
  memory.wanted.release = "6.1.10-2.ph5";
  memory.keep();
  for (const fs::path& file : memory.files()) {
    if (file != first) fs::copy_file(first, file, fs::copy_options::overwrite_existing);
  }
  CHECK_FALSE(memory.find());
}

TEST_CASE(
    "media memory: files are their owner's alone, and one that others could write is not used") {
  Memory memory;
  const mode_t before = umask(0);
  memory.keep();
  umask(before);
  struct stat status {};
  REQUIRE(stat(memory.file().c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  REQUIRE(stat(memory.cache.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0700);
  for (const mode_t mode : {0620U, 0602U}) {
    REQUIRE(chmod(memory.file().c_str(), mode) == 0);
    CHECK_FALSE(memory.find());
    memory.keep();
    CHECK(memory.find());
  }
}

TEST_CASE("media memory: a link to a file elsewhere is not used") {
  Memory memory;
  memory.keep();
  const fs::path elsewhere = memory.folder.path() / "elsewhere";
  const fs::path file = memory.file();
  fs::rename(file, elsewhere);
  fs::create_symlink(elsewhere, file);
  CHECK_FALSE(memory.find());
}

TEST_CASE("media memory: one that is cut or damaged is as if it were not there, and is replaced") {
  Memory memory;
  memory.keep();
  const std::string sound = file_content(memory.file());
  for (std::size_t size = 0; size < sound.size(); ++size) {
    CAPTURE(size);
    memory.write(sound.substr(0, size));
    CHECK_FALSE(memory.find());
  }
  for (std::size_t at = 0; at < sound.size(); ++at) {
    for (const int bit : {0, 5, 7}) {
      CAPTURE(at, bit);
      std::string damaged = sound;
      damaged[at] = static_cast<char>(damaged[at] ^ 1 << bit);
      memory.write(damaged);
      CHECK_FALSE(memory.find());
    }
  }
  memory.write(sound + sound);
  CHECK_FALSE(memory.find());
  memory.keep();
  CHECK(memory.find() == memory.package);
  CHECK(memory.diagnostics.warnings().empty());
}

TEST_CASE("media memory: a folder that can't be made is no error") {
  Memory memory;
  memory.cache = "/proc/no/such/place";
  memory.keep();
  CHECK_FALSE(memory.find());
  CHECK(memory.diagnostics.warnings().empty());
}

}  // namespace photon_dmesg::test
