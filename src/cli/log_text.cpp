#include "cli/log_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>

#include "base/error.h"
#include "base/input_file.h"
#include "base/packed_file.h"
#include "base/pipe_stream.h"
#include "base/spool.h"
#include "checkpoint/guest_files.h"
#include "session/input_roles.h"
#include "session/other_files.h"

namespace photon_dmesg {
namespace {

std::shared_ptr<const ByteSource> keep(const std::filesystem::path& path) {
  PipeStream pipe(path);
  Spool spool(pipe.name(), SpoolLimits::of_machine());
  for (auto bytes = pipe.next(); !bytes.empty(); bytes = pipe.next()) spool.append(bytes);
  return spool.finish();
}

// Zeros alone don't tell: a serial line may have them, and UTF-16 has.
bool is_memory(const ByteSource& file, const std::filesystem::path& path) {
  constexpr std::uint64_t page = 4096;
  if (!may_be_memory(file, path)) return false;
  std::string begin(std::min(page, file.size()), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(begin)));
  const bool is_utf16 = begin.starts_with("\xff\xfe") || begin.starts_with("\xfe\xff");
  return !is_utf16 && begin.find('\0') != std::string::npos;
}

void refuse_other(const ByteSource& file, const std::filesystem::path& path) {
  const GuestFileKind kind = identify_guest_file(file);
  if (kind != GuestFileKind::Unmarked || is_memory(file, path)) {
    throw unusable(fmt::format("{}: expected the text of a log, found {}: leave --log out",
                               file.name(), name_of(kind)));
  }
  const auto other = identify_marked(file);
  if (!other || other->is_of_vm) return;
  throw unusable(fmt::format("{}: expected the text of a log, this is {}: {}", file.name(),
                             other->what, other->advice));
}

}  // namespace

std::shared_ptr<const ByteSource> open_log_text(const std::filesystem::path& path,
                                                Diagnostics& diagnostics) {
  std::shared_ptr<const ByteSource> text =
      is_pipe(path) ? keep(path) : std::make_shared<InputFile>(path);
  if (packing_of(*text)) text = unpack_file(*text, diagnostics);
  refuse_other(*text, path);
  return text;
}

}  // namespace photon_dmesg
