#include "session/bundle.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/packed_file.h"
#include "checkpoint/guest_files.h"
#include "session/vm_file_names.h"

namespace photon_dmesg {

namespace {

bool has_known_name(const std::string& path) {
  const auto names = vm_file_names();
  return std::any_of(names.begin(), names.end(), [&](const VmFileName& known) {
    return is_named_or_packed(path, known.pattern);
  });
}

FirstBytes first_bytes_of(const BundledFile& file, BundledContent& content) {
  constexpr std::size_t marked_bytes = std::size_t{64} << 10U;  // as in a folder
  constexpr std::size_t enough_packed = std::size_t{1} << 20;   // a block of bzip2 has 900 kB
  if (file.is_encrypted || has_known_name(file.path)) return FirstBytes::Unknown;
  const auto told_by = [](const BufferSource& begin) {
    return identify_guest_file(begin) == GuestFileKind::Unmarked ? FirstBytes::Unknown
                                                                 : FirstBytes::OfGuest;
  };
  try {
    const BufferSource begin(file.path, content.peek(marked_bytes));
    if (!packing_of(begin)) return told_by(begin);
    const auto unpacked =
        peek_unpacked(BufferSource(file.path, content.peek(enough_packed)), marked_bytes);
    return told_by(BufferSource(file.path, unpacked));
  } catch (const Error&) {
    return FirstBytes::CanNotBeUnpacked;
  }
}

}  // namespace

Bundle::Bundle(std::shared_ptr<const ByteSource> file, const std::string& within, ReadAhead ahead,
               const BundleLimits& limits, Diagnostics& diagnostics)
    : file_(std::move(file)), limits_(limits), kept_(file_->name(), within, ahead, limits.spool) {
  list(ahead, diagnostics);
}

void Bundle::list(ReadAhead ahead, Diagnostics& diagnostics) {
  BundleLosses losses = walk_bundle(*file_, limits_, diagnostics,
                                    [&](const BundledFile& file, BundledContent& content) {
                                      BundledFile listed = file;
                                      if (ahead == ReadAhead::SmallFiles)
                                        listed.first_bytes = first_bytes_of(file, content);
                                      add(listed, diagnostics);
                                      if (kept_.wants(file)) {
                                        kept_.keep_ahead(file, content, diagnostics);
                                      }
                                      return Wanted::More;
                                    });
  if (files_.empty() && !losses.damage.empty()) {
    throw unusable(fmt::format("{}: {}", file_->name(), losses.damage.front()));
  }
  warn_of(losses, diagnostics);
  add_links(losses.links, diagnostics);
  too_deep_ = std::move(losses.too_deep);
  diagnostics.found(
      {.what = fmt::format("a bundle of {} files", files_.size()), .where = file_->name()});
}

void Bundle::add(const BundledFile& file, Diagnostics& diagnostics) {
  if (!files_.insert_or_assign(file.path, file).second) {
    diagnostics.found({.what = "the last of several files with one path counts",
                       .value = file.path,
                       .where = file_->name()});
  }
}

void Bundle::add_links(const std::vector<BundledLink>& links, Diagnostics& diagnostics) {
  for (const BundledLink& link : links) {
    const auto file = files_.find(link.file);
    if (file == files_.end()) {
      links_.insert(link.path);
      continue;
    }
    BundledFile again = file->second;
    again.path = link.path;
    files_.emplace(link.path, std::move(again));
  }
  const auto of_vm = std::find_if(links_.begin(), links_.end(), has_vmwares_name);
  if (of_vm == links_.end()) return;
  diagnostics.warn(
      fmt::format("{}: links in a bundle are not followed, such as {}", file_->name(), *of_vm));
}

// A walk to one file comes by damage that the listing has named.
void Bundle::warn_of(const BundleLosses& losses, Diagnostics& diagnostics) {
  for (const std::string& damage : losses.damage) {
    if (!said_.insert(damage).second) continue;
    diagnostics.warn_of_lack(
        fmt::format("{}: {} (what comes before that is used)", file_->name(), damage));
  }
  if (losses.astray > 0 && said_.insert("..").second) {
    diagnostics.warn_of_lack(
        fmt::format("{}: files in it that have no name, or one that leads out of it, are not used: "
                    "{}",
                    file_->name(), losses.astray));
  }
}

const BundledFile& Bundle::find(const std::string& path) const {
  if (const auto found = files_.find(path); found != files_.end()) return found->second;
  if (links_.contains(path)) {
    throw unusable(
        fmt::format("{}/{}: this is a link in a bundle, which is not followed: name what it leads "
                    "to, or unpack "
                    "the bundle",
                    file_->name(), path));
  }
  for (const std::string& deep : too_deep_) {
    if (path != deep && !path.starts_with(deep + '/')) continue;
    throw unusable(
        fmt::format("{}/{}: this is a bundle in a bundle in a bundle: unpack the outermost one",
                    file_->name(), deep));
  }
  throw unusable(fmt::format("{}: expected a file {} in it, found none", file_->name(), path));
}

std::shared_ptr<const ByteSource> Bundle::open(const std::string& path, Diagnostics& diagnostics) {
  const BundledFile& wanted = find(path);
  if (wanted.is_encrypted) {
    throw unusable(
        fmt::format("{}/{}: it is encrypted: unpack the bundle with its password, and give what is "
                    "in it",
                    file_->name(), path));
  }
  if (auto kept = kept_.find(wanted)) return kept;
  return read(wanted, diagnostics);
}

std::shared_ptr<const ByteSource> Bundle::read(const BundledFile& wanted,
                                               Diagnostics& diagnostics) {
  std::shared_ptr<const ByteSource> source;
  std::optional<Error> failure;
  const BundleLosses losses = walk_bundle(*file_, limits_, diagnostics,
                                          [&](const BundledFile& file, BundledContent& content) {
                                            if (file.number != wanted.number) return Wanted::More;
                                            try {
                                              source = kept_.keep(wanted, content, diagnostics);
                                            } catch (const Error& error) {
                                              failure = error;
                                            }
                                            return Wanted::NoMore;
                                          });
  if (failure) throw Error(*failure);
  warn_of(losses, diagnostics);
  if (source) return source;
  throw unusable(
      fmt::format("{}: expected a file {} in it, found none", file_->name(), wanted.path));
}

}  // namespace photon_dmesg
