#include "checkpoint/dumps/lime_file.h"

#include <fmt/format.h>

#include "base/budget.h"
#include "base/byte_reader.h"
#include "base/error.h"
#include "checkpoint/guest/completeness.h"
#include "checkpoint/guest/memory_image.h"

namespace photon_dmesg {
namespace {

constexpr std::uint32_t magic = 0x4c694d45;
constexpr std::uint32_t version = 1;

// A machine has some ten ranges, and one for each block of memory that was plugged in since.
constexpr std::uint64_t most_ranges = std::uint64_t{1} << 20;

std::vector<MemoryRun> read_runs(const ByteSource& file, Diagnostics& diagnostics) {
  std::vector<MemoryRun> runs;
  Budget budget("ranges of memory", most_ranges);
  ByteReader reader(file);
  while (reader.remaining() > 0) {
    const std::uint64_t at = reader.position();
    const std::uint32_t found = reader.u32("a range's magic");
    const std::uint32_t format = reader.u32("a range's version");
    const std::uint64_t first = reader.u64("a range's first address");
    const std::uint64_t last = reader.u64("a range's last address");
    reader.skip(sizeof(std::uint64_t), "a range's reserved bytes");
    if (found != magic || format != version || last < first || last == ~std::uint64_t{0}) {
      throw unusable(fmt::format(
          "expected a LiME range (magic {:#x}, version {}) at offset {:#x}, found {:#x}, {}, "
          "{:#x} to {:#x}",
          magic, version, at, found, format, first, last));
    }
    if (!budget.take()) break;
    runs.push_back({{first}, reader.position(), last - first + 1});
    if (last - first >= reader.remaining()) break;  // the last one, or the file is cut
    reader.skip(last - first + 1, "a range's memory");
  }
  budget.warn_if_exceeded(file.name(), diagnostics);
  return runs;
}

}  // namespace

bool is_lime_file(const ByteSource& source) {
  return source.contains(0, sizeof(magic)) && ByteReader(source).u32("the magic") == magic;
}

GuestState open_lime_file(std::shared_ptr<const ByteSource> file, Completeness completeness,
                          Diagnostics& diagnostics) {
  GuestState state;
  state.path = file->name();
  state.memory_path = file->name();
  with_context(file->name(), [&] {
    MemoryLayout layout(read_runs(*file, diagnostics));
    cut_to_file(state, layout, *file, completeness, diagnostics);
    state.memory = std::make_unique<MemoryImage>(*file, 0, std::move(layout));
  });
  diagnostics.found({.what = "LiME image",
                     .where = state.path,
                     .how = fmt::format("{} ranges of memory", state.memory->ranges().size())});
  state.files.push_back(std::move(file));
  return state;
}

}  // namespace photon_dmesg
