#include "batch/result_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fstream>
#include <span>
#include <string>
#include <system_error>

#include "base/error.h"
#include "base/output_file.h"
#include "batch/content_id.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

// Where a process has its number: containers may be called alike.
std::string machine_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  struct stat numbers {};
  const bool is_known = ::stat("/proc/self/ns/pid", &numbers) == 0;
  return fmt::format("{}-{:x}", name.data(), is_known ? numbers.st_ino : 0);
}

fs::path unfinished_path(const fs::path& results, const std::string& ticket, int process) {
  return results / fmt::format(".{}.unfinished-{}-{}", ticket, machine_name(), process);
}

// Whether there is no such process of this machine, or only what is left of it until somebody asks
// how it ended.
bool is_gone(int process) {
  if (::kill(process, 0) != 0 && errno == ESRCH) return true;
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(") ");
  return name_end != std::string::npos && line.substr(name_end + 2).starts_with('Z');
}

// Runs `work`; what the file system refuses is an Error.
template <typename Work>
void on_disk(const Work& work) {
  try {
    work();
  } catch (const fs::filesystem_error& error) {
    throw Error(Failure::Incomplete, fmt::format("{}: can't be written: {}", error.path1().string(),
                                                 error.code().message()));
  }
}

void list_outputs(const fs::path& folder, TicketResult& result) {
  result.outputs.clear();
  for (const auto& entry : fs::directory_iterator(folder)) {
    const fs::path& path = entry.path();
    result.outputs.push_back({path.filename().string(), entry.file_size(), content_digest(path)});
  }
  std::sort(result.outputs.begin(), result.outputs.end(),
            [](const auto& left, const auto& right) { return left.name < right.name; });
}

// What an earlier run has written there, and nothing else.
void remove_earlier(const fs::path& folder) {
  const auto earlier = read_ticket_result(folder);
  if (!earlier) return;
  for (const TicketResult::Output& output : earlier->outputs) {
    const fs::path name = fs::path(output.name).filename();
    if (!name.empty() && name == output.name) fs::remove(folder / name);
  }
}

// Until the last step the digests of the earlier result say that what lies there is not whole.
void move_into(const fs::path& unfinished, const fs::path& folder) {
  remove_earlier(folder);
  for (const auto& entry : fs::directory_iterator(unfinished)) {
    if (entry.path().filename() == ticket_file) continue;
    fs::rename(entry.path(), folder / entry.path().filename());
  }
  fs::rename(unfinished / ticket_file, folder / ticket_file);
  fs::remove(unfinished);
}

}  // namespace

void check_results(const fs::path& results, const std::vector<fs::path>& names) {
  std::error_code ignored;
  const fs::file_status status = fs::status(results, ignored);
  if (fs::exists(status) && !fs::is_directory(status)) {
    throw Error(Failure::Usage, fmt::format("{}: expected a folder for the results, found a file",
                                            results.string()));
  }
  for (const fs::path& name : names) {
    const fs::path folder = results / name;
    if (!fs::exists(fs::symlink_status(folder, ignored))) continue;
    const bool is_empty = fs::is_directory(folder, ignored) && fs::is_empty(folder, ignored);
    if (is_empty || read_ticket_result(folder)) continue;
    throw Error(
        Failure::Usage,
        fmt::format("{}: expected a result of photon-dmesg batch or nothing, found something "
                    "else: name another folder with -o",
                    folder.string()));
  }
}

fs::path begin_result(const fs::path& results, const std::string& ticket) {
  fs::path unfinished = unfinished_path(results, ticket, ::getpid());
  on_disk([&] {
    fs::remove_all(unfinished);  // of a process that had the same number
    fs::create_directory(unfinished);
  });
  return unfinished;
}

void finish_result(const fs::path& unfinished, const fs::path& results, TicketResult& result) {
  on_disk([&] {
    list_outputs(unfinished, result);
    const std::string document = to_json(result);
    write_file(unfinished / ticket_file, Access::Public, std::as_bytes(std::span(document)));
    const fs::path folder = results / result.name;
    std::error_code not_empty;
    fs::rename(unfinished, folder, not_empty);
    if (not_empty) move_into(unfinished, folder);
  });
}

void discard_result(const fs::path& results, const std::string& ticket, int process) {
  std::error_code ignored;
  fs::remove_all(unfinished_path(results, ticket, process), ignored);
}

void remove_abandoned(const fs::path& results) {
  const std::string mark = fmt::format(".unfinished-{}-", machine_name());
  std::error_code error;
  std::vector<fs::path> abandoned;
  fs::directory_iterator entry(results, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const std::size_t place = name.rfind(mark);
    if (!name.starts_with('.') || place == std::string::npos) continue;
    int process = 0;
    const char* const end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + place + mark.size(), end, process);
    const bool is_number = parsed.ec == std::errc() && parsed.ptr == end && process > 0;
    if (is_number && is_gone(process)) abandoned.push_back(entry->path());
  }
  for (const fs::path& path : abandoned) fs::remove_all(path, error);
}

bool is_whole(const fs::path& folder, const TicketResult& result) {
  try {
    return std::all_of(
        result.outputs.begin(), result.outputs.end(), [&](const TicketResult::Output& output) {
          const fs::path path = folder / output.name;
          return fs::file_size(path) == output.bytes && content_digest(path) == output.sha256;
        });
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace photon_dmesg
