#include "checkpoint/vmware/host_log.h"

#include <algorithm>
#include <functional>
#include <string_view>

#include "base/error.h"
#include "base/input_file.h"

namespace photon_dmesg {
namespace {

// A busy VM's is a few megabytes; the newest lines are at its end.
constexpr std::uint64_t most_bytes = 64 * 1024 * 1024;

std::string read_end(const ByteSource& file) {
  const std::uint64_t begin = file.size() - std::min(file.size(), most_bytes);
  std::string text(static_cast<std::size_t>(file.size() - begin), '\0');
  file.read_at(begin, std::as_writable_bytes(std::span(text)));
  return text;
}

void for_each_line(std::string_view text, const std::function<void(std::string_view)>& visit) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    visit(line);
  }
}

// "2026-11-25T02:10:01"
bool begins_with_time(std::string_view line) {
  constexpr std::string_view form = "0000-00-00T00:00:00";
  return line.size() > form.size() &&
         std::equal(form.begin(), form.end(), line.begin(), [](char wanted, char found) {
           return wanted == '0' ? found >= '0' && found <= '9' : found == wanted;
         });
}

}  // namespace

bool is_host_log(const ByteSource& file) {
  constexpr std::uint64_t looked_at = 4096;
  std::string begin(std::min(looked_at, file.size()), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(begin)));
  const std::string_view line = std::string_view(begin).substr(0, begin.find('\n'));
  return begins_with_time(line) && (line.find("vmx") != std::string_view::npos ||
                                    line.find("vcpu-") != std::string_view::npos);
}

std::vector<std::string> lines_of_guest(const ByteSource& file) {
  constexpr std::string_view mark = "Guest: ";
  std::vector<std::string> lines;
  const std::string text = read_end(file);
  for_each_line(text, [&](std::string_view line) {
    const std::size_t at = line.find(mark);
    if (!begins_with_time(line) || at == std::string_view::npos) return;
    if (line.substr(0, at).find("vcpu-") == std::string_view::npos) return;
    lines.emplace_back(line.substr(at + mark.size()));
  });
  return lines;
}

bool is_snapshot_pending(const std::filesystem::path& checkpoint) {
  bool pending = false;
  try {
    const InputFile file(checkpoint.parent_path() / "vmware.log");
    const std::string text = read_end(file);
    for_each_line(text, [&](std::string_view line) {
      if (line.find("MainMem: Begin lazy IO") != std::string_view::npos) pending = true;
      if (line.find("Completed pending lazy checkpoint save") != std::string_view::npos) {
        pending = false;
      }
    });
  } catch (const Error&) {
    // There is none, or none that can be read.
  }
  return pending;
}

}  // namespace photon_dmesg
