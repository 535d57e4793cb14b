// What is done with a bundle that somebody attached to a ticket: it is listed, and each of its
// files is read. Bundles in it are walked through as well.
#include "session/bundle.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "fuzz/input.h"

namespace photon_dmesg::fuzz {
namespace {

class BytesSource final : public ByteSource {
 public:
  explicit BytesSource(Bytes bytes) : source_("bundle", bytes) {}
  [[nodiscard]] std::uint64_t size() const override { return source_.size(); }
  [[nodiscard]] const std::string& name() const override { return source_.name(); }

 private:
  void read_checked(std::uint64_t offset, std::span<std::byte> target) const override {
    source_.read_at(offset, target);
  }
  BufferSource source_;
};

bool leads_out(const std::string& path) {
  return path.empty() || path.front() == '/' || path.starts_with("../") ||
         path.find("/../") != std::string::npos || path.ends_with("/..");
}

void read_all(Bundle& bundle, const BundleLimits& limits) {
  constexpr std::size_t most_files = 16;
  SilentDiagnostics silent;
  std::size_t files = 0;
  for (const auto& [path, file] : bundle.files()) {
    require(path == file.path, "a file is listed by its path");
    require(!leads_out(path), "no file lies outside of the bundle");
    if (++files > most_files) return;
    try {
      const auto source = bundle.open(path, silent);
      require(source->size() <= limits.spool.unpacked, "no file is larger than the limits");
      std::vector<std::byte> begin(std::min<std::uint64_t>(source->size(), 4096));
      source->read_at(source->size() - begin.size(), begin);
    } catch (const Error&) {
      // What the program says of damaged files.
    }
  }
}

}  // namespace

void fuzz_bundle(Bytes bytes) {
  constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;
  BundleLimits limits;
  limits.members = 64;
  limits.passed_bytes = 16 * mebibyte;
  limits.passed_times = 0;
  limits.spool = {.kept = 16 * mebibyte, .unpacked = 64 * mebibyte};
  Input input(bytes);
  const bool ahead = (input.byte() & 1U) != 0;
  const auto source = std::make_shared<BytesSource>(input.rest());
  (void)is_bundle(*source);
  SilentDiagnostics silent;
  Bundle bundle(source, "", ahead ? ReadAhead::Memory : ReadAhead::SmallFiles, limits, silent);
  read_all(bundle, limits);
}

}  // namespace photon_dmesg::fuzz
