#include "session/bundle_walk.h"

#include <fmt/format.h>

#include <utility>

#include "base/budget.h"
#include "base/decompression.h"
#include "base/error.h"
#include "base/packed_file.h"
#include "base/watched_stream.h"
#include "session/bundle_names.h"
#include "session/bundled_content.h"

namespace photon_dmesg {
namespace {

class Walker {
 public:
  Walker(const ByteSource& bundle, const BundleLimits& limits, Diagnostics& diagnostics,
         const VisitBundled& visit)
      : bundle_(bundle),
        limits_(limits),
        diagnostics_(diagnostics),
        visit_(visit),
        passed_(limits.passed_bytes + limits.passed_times * bundle.size()),
        members_("members", limits.members),
        names_("bytes of names", limits.name_bytes) {}

  BundleLosses walk() {
    if (packing_of(bundle_)) {
      WatchedStream packed(bundle_, fmt::format("reading {}", bundle_.name()), diagnostics_);
      walk_packed_tar(packed, "");
    } else {
      note_damage("", [&] {
        ArchiveReader reader(bundle_);
        walk_archive(reader, "", false);
      });
    }
    members_.warn_if_exceeded(bundle_.name(), diagnostics_);
    names_.warn_if_exceeded(bundle_.name(), diagnostics_);
    return std::move(losses_);
  }

 private:
  // Runs what reads of the bundle at `path` in it, and makes what it throws a loss.
  template <typename Work>
  void note_damage(const std::string& path, Work&& work) {
    try {
      std::forward<Work>(work)();
    } catch (const Error& error) {
      // What ended a member's content ends the archive too.
      const bool is_said = !losses_.damage.empty() && losses_.damage.back().ends_with(error.what());
      if (is_said) return;
      losses_.damage.push_back(path.empty() ? error.what()
                                            : fmt::format("{}: {}", path, error.what()));
    }
  }

  void walk_packed_tar(ByteStream& packed, const std::string& path) {
    note_damage(path, [&] {
      CountedStream tar(decompress(packed, "none"), passed_);
      ArchiveReader reader(tar);
      walk_archive(reader, path, true);
      // What proves the content stands at the end.
      while (!done_ && !tar.next().empty()) {
      }
    });
  }

  // `path`: of a bundle in the bundle, else empty.
  void walk_archive(ArchiveReader& reader, const std::string& path, bool is_dear) {
    while (!done_) {
      const auto member = reader.next_member();
      if (!member) return;
      if (!members_.take() || !names_.take(member->path.size())) {
        done_ = true;
        return;
      }
      ++number_;
      const bool is_link = member->is_link || !member->hard_link.empty();
      if (!member->is_file && !is_link) continue;
      const std::optional<std::string> name = path_in_bundle(member->path);
      if (!name) {
        ++losses_.astray;
        continue;
      }
      const std::string begin = path.empty() ? "" : path + '/';
      if (is_link) {
        add_link(begin + *name, begin, member->hard_link);
        continue;
      }
      const BundledFile file = {
          begin + *name,       number_, member->size, member->changed, member->is_encrypted,
          FirstBytes::Unknown, is_dear};
      visit_file(reader, file, !path.empty());
    }
  }

  // `begin`: of paths in the archive, which a hard link does not lead out of.
  void add_link(const std::string& path, const std::string& begin, const std::string& hard_link) {
    const std::optional<std::string> file = path_in_bundle(hard_link);
    losses_.links.push_back({path, file ? begin + *file : ""});
  }

  void visit_file(ArchiveReader& reader, const BundledFile& file, bool is_nested) {
    MemberContent content(reader, passed_, losses_.damage, file.path);
    if (may_be_bundle(file.path) && !file.is_encrypted && begins_as_bundle(content)) {
      if (is_nested) {
        losses_.too_deep.push_back(file.path);
      } else {
        walk_nested(content, file);
      }
    } else {
      done_ = visit_(file, content) == Wanted::NoMore;
    }
    if (reader.unpacks_what_it_skips() && content.given() < file.size && !done_) {
      passed_.unpacked(file.size - content.given());
    }
  }

  static bool begins_as_bundle(MemberContent& content) {
    const BufferSource begin("", content.peek(archive_mark_bytes));
    return is_archive(begin) || packing_of(begin);
  }

  void walk_nested(MemberContent& content, const BundledFile& file) {
    const BufferSource begin("", content.peek(archive_mark_bytes));
    const bool is_packed = packing_of(begin).has_value();
    const bool is_tar = is_tar_archive(begin);
    ContentStream stream(content, file.path);
    if (is_packed) return walk_packed_tar(stream, file.path);
    note_damage(file.path, [&] {
      if (is_tar) {
        ArchiveReader reader(stream);
        return walk_archive(reader, file.path, true);
      }
      // These say at their end where what lies.
      Spool spool(file.path, limits_.spool);
      for (auto bytes = stream.next(); !bytes.empty(); bytes = stream.next()) spool.append(bytes);
      const auto archive = spool.finish();
      ArchiveReader reader(*archive);
      walk_archive(reader, file.path, true);
    });
  }

  const ByteSource& bundle_;
  const BundleLimits& limits_;
  Diagnostics& diagnostics_;
  const VisitBundled& visit_;
  PassedBytes passed_;
  Budget members_;
  Budget names_;
  BundleLosses losses_;
  std::uint64_t number_ = 0;
  bool done_ = false;
};

}  // namespace

bool is_bundle(const ByteSource& file) {
  if (is_archive(file)) return true;
  if (!packing_of(file)) return false;
  try {
    const std::vector<std::byte> begin = peek_unpacked(file, archive_mark_bytes);
    return is_tar_archive(BufferSource(file.name(), begin));
  } catch (const Error&) {
    return false;  // whoever unpacks it says why
  }
}

BundleLosses walk_bundle(const ByteSource& bundle, const BundleLimits& limits,
                         Diagnostics& diagnostics, const VisitBundled& visit) {
  return Walker(bundle, limits, diagnostics, visit).walk();
}

}  // namespace photon_dmesg
