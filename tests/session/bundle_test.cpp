#include "session/bundle.h"

#include <catch2/catch.hpp>

#include "support/archive_writer.h"
#include "support/bytes.h"
#include "support/noise.h"

namespace photon_dmesg::test {
namespace {

// A bundle that counts how many bytes of it are read.
class CountedSource final : public ByteSource {
 public:
  explicit CountedSource(std::string bytes) : bytes_(std::move(bytes)) {}

  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  [[nodiscard]] const std::string& name() const override { return name_; }

  // How often all of it was read, rounded.
  [[nodiscard]] std::uint64_t passes() const { return (read_ + size() / 2) / size(); }

 private:
  void read_checked(std::uint64_t offset, std::span<std::byte> target) const override {
    BufferSource("", as_bytes(bytes_)).read_at(offset, target);
    read_ += target.size();
  }

  std::string bytes_;
  std::string name_ = "bundle.tgz";
  mutable std::uint64_t read_ = 0;
};

struct Opened {
  std::shared_ptr<CountedSource> source;
  CollectedDiagnostics diagnostics;
  Bundle bundle;

  Opened(const std::vector<ArchivedFile>& files, const std::string& format, const char* packing,
         const std::string& within = "", ReadAhead ahead = ReadAhead::Memory)
      : source(std::make_shared<CountedSource>(write_archive(files, format, packing))),
        bundle(source, within, ahead, BundleLimits{}, diagnostics) {}

  // How often the bundle has been read once that file is there too.
  std::uint64_t passes_with(const std::string& path) {
    (void)bundle.open(path, diagnostics);
    return source->passes();
  }
};

const ArchivedFile vmx = {"vm/vm.vmx", "checkpoint.vmState = \"vm-2.vmsn\"\n"};

std::vector<ArchivedFile> snapshots() {
  return {{"vm/vm-1.vmem", noise(2'000'000, 1)},
          {"vm/vm-1.vmsn", "1"},
          {"vm/vm-2.vmem", noise(2'000'000, 2)},
          {"vm/vm-2.vmsn", "2"},
          {"vm/zz", noise(1'000'000, 3)}};
}

}  // namespace

TEST_CASE("Bundle: what a guest takes is there after one pass through a packed archive") {
  for (const char* packing : {"gzip", "zstd"}) {
    Opened opened(snapshots(), "tar", packing);
    CHECK(opened.source->passes() == 1);
    CHECK(opened.passes_with("vm/vm-1.vmsn") == 1);
    CHECK(opened.passes_with("vm/vm-2.vmsn") == 1);
    CHECK(opened.passes_with("vm/vm-1.vmem") == 1);
    CHECK(opened.passes_with("vm/vm-2.vmem") == 2);
    CHECK(opened.passes_with("vm/vm-2.vmem") == 2);
  }
}

TEST_CASE("Bundle: what is named, or what a configuration calls current, is what is kept") {
  Opened named(snapshots(), "tar", "gzip", "vm/vm-2.vmsn");
  CHECK(named.passes_with("vm/vm-2.vmem") == 1);
  std::vector<ArchivedFile> files = snapshots();
  files.insert(files.begin(), vmx);
  Opened current(files, "tar", "gzip");
  CHECK(current.passes_with("vm/vm-2.vmem") == 1);
  // The wrong one had come by before it was known to be.
  files = snapshots();
  files.push_back(vmx);
  Opened late(files, "tar", "gzip");
  CHECK(late.passes_with("vm/vm-2.vmem") == 2);
}

TEST_CASE("Bundle: who only lists it has no memory kept") {
  Opened opened(snapshots(), "tar", "gzip", "", ReadAhead::SmallFiles);
  CHECK(opened.passes_with("vm/vm-1.vmsn") == 1);
  CHECK(opened.passes_with("vm/vm-2.vmem") == 2);
}

TEST_CASE("Bundle: of a zip archive only what is asked for is read") {
  Opened opened(snapshots(), "zip", "");
  CHECK(opened.passes_with("vm/vm-1.vmsn") == 0);
  CHECK(opened.passes_with("vm/vm-2.vmem") <= 1);
}

}  // namespace photon_dmesg::test
