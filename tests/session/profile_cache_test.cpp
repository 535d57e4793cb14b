#include "session/profile_cache.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <thread>

#include "kernel/symbols/vmlinux/vmlinux.h"
#include "support/file_content.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

namespace fs = std::filesystem;

struct Cached {
  TemporaryFolder folder;
  fs::path cache = folder.path() / "deep" / "cache";
  CollectedDiagnostics diagnostics;
  std::unique_ptr<Vmlinux> vmlinux = Vmlinux::open(PRINTK_RINGBUFFER_KERNEL);

  void store(const std::string& digest) {
    ProfileCache(cache).store(digest, *vmlinux, "6.1.10-1.ph5", "a test", diagnostics);
  }
  std::unique_ptr<Profile> find(const std::string& digest) {
    return ProfileCache(cache).find(digest, diagnostics);
  }
  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(cache)) files.push_back(entry.path());
    return files;
  }
};

}  // namespace

TEST_CASE("profile cache: what is stored is found again, by its digest only") {
  Cached cached;
  CHECK_FALSE(cached.find("aa"));
  cached.store("aa");
  const auto profile = cached.find("aa");
  REQUIRE(profile);
  CHECK(profile->find_symbol("prb") == cached.vmlinux->find_symbol("prb"));
  CHECK_FALSE(cached.find("ab"));
}

TEST_CASE("profile cache: files are their owner's alone, and nothing else is left") {
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

TEST_CASE("profile cache: a file that others could have written is not used") {
  Cached cached;
  cached.store("aa");
  REQUIRE(chmod(cached.files()[0].c_str(), 0666) == 0);
  CHECK_FALSE(cached.find("aa"));
}

TEST_CASE("profile cache: a damaged file is not used, and replaced") {
  Cached cached;
  cached.store("aa");
  fs::resize_file(cached.files()[0], 100);
  CHECK_FALSE(cached.find("aa"));
  cached.store("aa");
  CHECK(cached.find("aa"));
}

TEST_CASE("profile cache: a folder that can't be made is no error") {
  Cached cached;
  cached.cache = "/proc/no/such/place";
  cached.store("aa");
  CHECK_FALSE(cached.find("aa"));
  CHECK(cached.diagnostics.warnings().empty());
}

TEST_CASE("profile cache: many runs at once never see half a file") {
  Cached cached;
  cached.store("aa");
  std::atomic<bool> failed = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      CollectedDiagnostics diagnostics;
      const auto vmlinux = Vmlinux::open(PRINTK_RINGBUFFER_KERNEL);
      for (int round = 0; round < 20; ++round) {
        ProfileCache(cached.cache).store("aa", *vmlinux, "6.1.10-1.ph5", "a test", diagnostics);
        if (!ProfileCache(cached.cache).find("aa", diagnostics)) failed = true;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_FALSE(failed);
  CHECK(cached.files().size() == 1);
}

TEST_CASE("profile cache: the environment says where it is") {
  const char* home = std::getenv("HOME");
  const std::string home_before = home != nullptr ? home : "";
  setenv("HOME", "/home/a", 1);
  setenv("XDG_CACHE_HOME", "/var/cache/a", 1);
  CHECK(ProfileCache::default_folder() == "/var/cache/a/photon-dmesg");
  setenv("XDG_CACHE_HOME", "relative", 1);
  CHECK(ProfileCache::default_folder() == "/home/a/.cache/photon-dmesg");
  unsetenv("XDG_CACHE_HOME");
  CHECK(ProfileCache::default_folder() == "/home/a/.cache/photon-dmesg");
  unsetenv("HOME");
  CHECK_FALSE(ProfileCache::default_folder());
  setenv("HOME", home_before.c_str(), 1);
}

}  // namespace photon_dmesg::test
