#include "session/kept_members.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "checkpoint/vmware/companion_file.h"
#include "session/vm_file_names.h"
#include "session/vm_files.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

// A checkpoint without its memory has some megabytes, as has the log of a busy VM.
constexpr std::uint64_t most_small_bytes = std::uint64_t{64} << 20;
constexpr std::uint64_t most_small_bytes_together = 8 * most_small_bytes;

constexpr std::array small_names = {
    "*.vmss",    "*.vmsn",        "*.guest",    vm_configuration_name,
    vm_log_name, old_vm_log_name, "System.map*"};

bool is_small(const BundledFile& file) {
  return file.size <= most_small_bytes &&
         std::any_of(small_names.begin(), small_names.end(),
                     [&](const char* pattern) { return is_named(file.path, pattern); });
}

bool is_memory(const fs::path& path) {
  return is_named(path, "*.vmem");
}

bool is_checkpoint(const fs::path& path) {
  return is_named(path, "*.vmss") || is_named(path, "*.vmsn");
}

std::string folder_in_bundle(const fs::path& path) {
  return path.parent_path().string();
}

}  // namespace

KeptMembers::KeptMembers(std::string name, std::string within, ReadAhead ahead,
                         const SpoolLimits& limits)
    : name_(std::move(name)), within_(std::move(within)), ahead_(ahead), limits_(limits) {}

bool KeptMembers::is_within(const std::string& path) const {
  return within_.empty() || path == within_ || path.starts_with(within_ + '/') ||
         folder_in_bundle(path) == folder_in_bundle(within_);
}

bool KeptMembers::wants(const BundledFile& file) const {
  if (!file.is_dear || file.is_encrypted || !is_within(file.path)) return false;
  if (is_small(file)) return small_bytes_ + file.size <= most_small_bytes_together;
  return ahead_ == ReadAhead::Memory && wants_memory(file.path);
}

// A checkpoint that is larger holds the memory itself.
bool KeptMembers::wants_memory(const fs::path& path) const {
  if (!is_memory(path) && !is_checkpoint(path)) return false;
  if (is_memory(within_) || is_checkpoint(within_)) {
    return folder_in_bundle(path) == folder_in_bundle(within_) &&
           shared_name(path) == shared_name(within_);
  }
  const auto current = current_.find(folder_in_bundle(path));
  if (current != current_.end()) return shared_name(path) == current->second;
  return !memory_;
}

// The memory that was kept may be of another snapshot.
void KeptMembers::note_configuration(const BundledFile& file, const ByteSource& source) {
  const std::string state = current_checkpoint(source).value_or("");
  if (state.empty()) return;
  const std::string folder = folder_in_bundle(file.path);
  current_.insert_or_assign(folder, shared_name(state));
  if (memory_ && folder_in_bundle(memory_->path) == folder && !wants_memory(memory_->path)) {
    if (const auto found = kept_.find(key_of(*memory_)); found != kept_.end()) {
      bytes_ -= found->second.bytes;
      kept_.erase(found);
    }
    memory_.reset();
  }
}

void KeptMembers::drop_unused() {
  std::erase_if(kept_, [&](const auto& entry) {
    const bool is_unused = entry.second.source.use_count() == 1;
    if (is_unused) bytes_ -= entry.second.bytes;
    return is_unused;
  });
}

std::shared_ptr<const ByteSource> KeptMembers::read(const BundledFile& file,
                                                    BundledContent& content, std::uint64_t most,
                                                    Diagnostics& diagnostics) {
  const std::string name = name_ + '/' + file.path;
  const std::string doing = fmt::format("reading {}", name);
  Spool spool(name, {.kept = most, .unpacked = limits_.unpacked});
  while (const auto part = content.next()) {
    spool.append_zeros(part->zeros);
    spool.append(part->bytes);
    // What is dear comes out of a stream that tells itself how far it has come.
    if (!file.is_dear) diagnostics.progress({doing, spool.size(), file.size});
  }
  Kept kept = {spool.finish(), spool.kept()};
  bytes_ += kept.bytes;
  return kept_.insert_or_assign(key_of(file), std::move(kept)).first->second.source;
}

std::shared_ptr<const ByteSource> KeptMembers::keep(const BundledFile& file,
                                                    BundledContent& content,
                                                    Diagnostics& diagnostics) {
  drop_unused();
  return read(file, content, limits_.kept - std::min(limits_.kept, bytes_), diagnostics);
}

void KeptMembers::keep_ahead(const BundledFile& file, BundledContent& content,
                             Diagnostics& diagnostics) {
  std::shared_ptr<const ByteSource> source;
  try {
    source = read(file, content, limits_.kept - std::min(limits_.kept, bytes_), diagnostics);
  } catch (const Error&) {
    return;  // whoever asks for it is told why
  }
  if (is_vm_configuration(file.path)) note_configuration(file, *source);
  if (is_small(file)) {
    small_bytes_ += file.size;
  } else {
    memory_ = file;
  }
}

std::shared_ptr<const ByteSource> KeptMembers::find(const BundledFile& file) const {
  const auto found = kept_.find(key_of(file));
  return found == kept_.end() ? nullptr : found->second.source;
}

}  // namespace photon_dmesg
