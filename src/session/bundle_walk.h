#pragma once

#include <cstdint>
#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "base/spool.h"
#include "session/bundled_content.h"

namespace photon_dmesg {

// Bundles: tar archives, also packed with gzip, zstd, xz or bzip2, zip and 7z archives, as people
// attach them to tickets and as ESXi's vm-support writes them.

// Whether `file` is one, by its first bytes.
[[nodiscard]] bool is_bundle(const ByteSource& file);

// How much of a bundle is read: any may claim anything.
struct BundleLimits {
  std::uint64_t members = std::uint64_t{1} << 18;
  std::uint64_t name_bytes = std::uint64_t{64} << 20;    // of all members together
  std::uint64_t passed_bytes = std::uint64_t{64} << 30;  // unpacked, that nobody reads, beside
  std::uint64_t passed_times = 64;                       // so many times the bundle's own size
  SpoolLimits spool = SpoolLimits::of_machine();         // of what is read
};

// What the first bytes of a file in a bundle say, unpacked if it is packed, where its name says
// nothing and a walk has looked (see ReadAhead).
enum class FirstBytes { Unknown, OfGuest, CanNotBeUnpacked };

// A file in a bundle.
struct BundledFile {
  std::string path;          // in the bundle: "vm/vm.vmss", "inner.tgz/vm/vm.vmss"
  std::uint64_t number = 0;  // the how many-th member it is, which tells namesakes apart
  std::uint64_t size = 0;    // as far as its header says
  std::optional<std::time_t> changed;
  bool is_encrypted = false;
  FirstBytes first_bytes = FirstBytes::Unknown;
  bool is_dear = false;  // to have it later takes unpacking all that lies before it again
};

// A link in a bundle, by the paths in it.
struct BundledLink {
  std::string path;
  std::string file;  // that it is another name of; empty: it is a symbolic link
};

// What a walk through a bundle has not handed out.
struct BundleLosses {
  std::vector<std::string> damage;    // what could not be read; what came before that was
  std::vector<std::string> too_deep;  // bundles in bundles in the bundle: their paths
  std::vector<BundledLink> links;     // none of these was looked into
  std::uint64_t astray = 0;           // members whose names lead out of it, or are none
};

enum class Wanted { More, NoMore };
using VisitBundled = std::function<Wanted(const BundledFile& file, BundledContent& content)>;

// Hands each file of `bundle` to `visit`, and those of bundles in it, in the order in which they
// lie there, and passes over what `visit` does not read. Folders, links and devices are none of
// these files. Where damage ends the walk, or an Error that `visit` throws, that is a loss.
BundleLosses walk_bundle(const ByteSource& bundle, const BundleLimits& limits,
                         Diagnostics& diagnostics, const VisitBundled& visit);

}  // namespace photon_dmesg
