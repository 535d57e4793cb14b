#include "session/symbol_cache.h"

#include <sys/stat.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "kernel/symbols/vmlinux/vmlinux.h"
#include "support/file_content.h"
#include "support/open_vmlinux.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

namespace fs = std::filesystem;

struct Cached {
  TemporaryFolder folder;
  fs::path cache = folder.path() / "deep" / "cache";
  StoredKernel kernel{"6.1.10-1.ph5", "a test"};
  CollectedDiagnostics diagnostics;
  std::unique_ptr<Vmlinux> vmlinux = open_vmlinux(PRINTK_RINGBUFFER_KERNEL);

  void store(const std::string& digest) {
    SymbolCache(cache).store(digest, *vmlinux, kernel, diagnostics);
  }
  std::unique_ptr<SymbolStore> find(const std::string& digest) {
    return SymbolCache(cache).find(digest, kernel, "the kernel", diagnostics);
  }
  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(cache)) files.push_back(entry.path());
    return files;
  }
};

// Notes that somebody waits.
struct WaitingDiagnostics : CollectedDiagnostics {
  std::atomic<bool> waits = false;
  void progress(const Progress&) override { waits = true; }
};

}  // namespace

TEST_CASE("symbol cache: what is stored is found again, by its digest only") {
  Cached cached;
  CHECK_FALSE(cached.find("aa"));
  cached.store("aa");
  const auto store = cached.find("aa");
  REQUIRE(store);
  CHECK(store->find_symbol("prb") == cached.vmlinux->find_symbol("prb"));
  CHECK(store->name() == "the kernel");
  CHECK(store->release() == "6.1.10-1.ph5");
  CHECK_FALSE(cached.find("ab"));
}

TEST_CASE("symbol cache: files are their owner's alone, and nothing else is left") {
  Cached cached;
  const mode_t before = umask(0);
  cached.store("aa");
  umask(before);
  REQUIRE(cached.files().size() == 1);
  struct stat status {};
  REQUIRE(stat(cached.files()[0].c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  REQUIRE(stat(cached.cache.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0700);
}

TEST_CASE("symbol cache: a file that others could have written is not used, but replaced") {
  Cached cached;
  cached.store("aa");
  REQUIRE(chmod(cached.files()[0].c_str(), 0666) == 0);
  CHECK_FALSE(cached.find("aa"));
  cached.store("aa");
  CHECK(cached.find("aa"));
}

TEST_CASE("symbol cache: a store of another photon-dmesg is not touched") {
  Cached cached;
  cached.store("aa");
  const std::string name = cached.files()[0].filename().string();
  CHECK_THAT(name, Catch::Matches("aa-[0-9a-f]{16}\\.symbols"));
  fs::rename(cached.files()[0], cached.cache / "aa-0123456789abcdef.symbols");
  CHECK_FALSE(cached.find("aa"));
  cached.store("aa");
  CHECK(cached.files().size() == 2);
}

TEST_CASE("symbol cache: whoever reads a package keeps others waiting, and leaves nothing") {
  Cached cached;
  WaitingDiagnostics waiting;
  std::atomic<bool> has_lock = false;
  std::thread other;
  {
    const auto lock = SymbolCache(cached.cache).lock("aa", cached.diagnostics);
    REQUIRE(lock);
    const auto of_another_package = SymbolCache(cached.cache).lock("ab", cached.diagnostics);
    CHECK(of_another_package);
    other = std::thread([&] {
      const auto same = SymbolCache(cached.cache).lock("aa", waiting);
      has_lock = true;
    });
    while (!waiting.waits && !has_lock) std::this_thread::yield();
    CHECK_FALSE(has_lock);
  }
  other.join();
  CHECK(has_lock);
  REQUIRE(!waiting.evidence().empty());
  CHECK(waiting.evidence()[0].what == "waiting for another run that reads the package");
  CHECK(cached.files().empty());
}

TEST_CASE("symbol cache: where nothing can be locked, each run works for itself") {
  Cached cached;
  CHECK_FALSE(SymbolCache("/proc/no/such/place").lock("aa", cached.diagnostics));
  REQUIRE(cached.diagnostics.evidence().size() == 1);
  CHECK(cached.diagnostics.evidence()[0].where == "cache");
}

TEST_CASE("symbol cache: a damaged file is said once, not used, and replaced") {
  Cached cached;
  const auto cut = [](const fs::path& path) { fs::resize_file(path, 100); };
  const auto empty = [](const fs::path& path) { fs::resize_file(path, 0); };
  const auto alter = [](const fs::path& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(fs::file_size(path) / 2));
    file.put('\x55');
    file.put('\xaa');
  };
  for (void (*damage)(const fs::path&) : {+cut, +empty, +alter}) {
    cached.store("aa");
    const std::size_t said = cached.diagnostics.warnings().size();
    damage(cached.files()[0]);
    CHECK_FALSE(cached.find("aa"));
    CHECK_FALSE(cached.find("aa"));
    REQUIRE(cached.diagnostics.warnings().size() == said + 1);
    CHECK_THAT(cached.diagnostics.warnings().back(),
               Catch::StartsWith("the kernel: what was kept of it is made anew: "));
    cached.store("aa");
    CHECK(cached.find("aa"));
  }
}

TEST_CASE("symbol cache: a file that is larger than any kernel's is not read") {
  Cached cached;
  cached.store("aa");
  fs::resize_file(cached.files().at(0), std::uint64_t{65} << 20U);
  CHECK_FALSE(cached.find("aa"));
  REQUIRE(cached.diagnostics.warnings().size() == 1);
  CHECK_THAT(cached.diagnostics.warnings().front(),
             Catch::Contains("the kernel: what was kept of it is made anew: ") &&
                 Catch::Contains("expected a profile of at most"));
}

TEST_CASE("symbol cache: what was kept of another kernel is not believed, whatever it is called") {
  Cached cached;
  cached.store("aa");
  cached.kernel.release = "6.1.11-1.ph5";
  CHECK_FALSE(cached.find("aa"));
  CHECK_THAT(cached.diagnostics.warnings().at(0),
             Catch::Contains("expected a profile of 6.1.11-1.ph5"));
  CHECK(cached.files().empty());
}

TEST_CASE("symbol cache: a folder that can't be made is no error") {
  Cached cached;
  cached.cache = "/proc/no/such/place";
  cached.store("aa");
  CHECK_FALSE(cached.find("aa"));
  CHECK(cached.diagnostics.warnings().empty());
}

TEST_CASE("symbol cache: many runs at once never see half a file") {
  Cached cached;
  cached.store("aa");
  std::atomic<bool> failed = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      CollectedDiagnostics diagnostics;
      const auto vmlinux = open_vmlinux(PRINTK_RINGBUFFER_KERNEL);
      for (int round = 0; round < 20; ++round) {
        SymbolCache(cached.cache).store("aa", *vmlinux, cached.kernel, diagnostics);
        if (!SymbolCache(cached.cache).find("aa", cached.kernel, "the kernel", diagnostics)) {
          failed = true;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_FALSE(failed);
  CHECK(cached.files().size() == 1);
}

TEST_CASE("symbol cache: the environment says where it is") {
  const char* home = std::getenv("HOME");
  const std::string home_before = home != nullptr ? home : "";
  setenv("HOME", "/home/a", 1);
  setenv("XDG_CACHE_HOME", "/var/cache/a", 1);
  CHECK(SymbolCache::default_folder() == "/var/cache/a/photon-dmesg");
  setenv("XDG_CACHE_HOME", "relative", 1);
  CHECK(SymbolCache::default_folder() == "/home/a/.cache/photon-dmesg");
  unsetenv("XDG_CACHE_HOME");
  CHECK(SymbolCache::default_folder() == "/home/a/.cache/photon-dmesg");
  unsetenv("HOME");
  CHECK_FALSE(SymbolCache::default_folder());
  setenv("HOME", home_before.c_str(), 1);
}

}  // namespace photon_dmesg::test
