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
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "base/error.h"
#include "base/output_file.h"
#include "base/read_files.h"
#include "batch/content_id.h"
#include "session/vm_file_names.h"

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

void write_ticket_file(const fs::path& folder, const TicketResult& result) {
  const std::string document = to_json(result);
  write_file(folder / ticket_file, Access::Public, std::as_bytes(std::span(document)));
}

using Outputs = std::vector<TicketResult::Output>;

// What an earlier run has written to `folder`. Anybody may have written what the folder says of
// itself: only what this program calls its files counts.
Outputs earlier_outputs(const fs::path& folder) {
  const auto earlier = read_ticket_result(folder);
  if (!earlier) return {};
  Outputs outputs = earlier->outputs;
  std::erase_if(outputs, [](const auto& output) { return !is_output_name(output.name); });
  return outputs;
}

bool lists(const Outputs& outputs, const std::string& name) {
  return std::any_of(outputs.begin(), outputs.end(),
                     [&](const auto& output) { return output.name == name; });
}

// That a result with `outputs` can take the place of one with those of `earlier` without harm.
void check_replaced(const fs::path& folder, const Outputs& earlier, const Outputs& outputs) {
  Outputs all = earlier;
  all.insert(all.end(), outputs.begin(), outputs.end());
  for (const TicketResult::Output& output : all) {
    const fs::path path = folder / output.name;
    if (read_files::contains(path)) throw read_files::would_be_replaced(path);
    if (lists(earlier, output.name) || !fs::exists(fs::symlink_status(path))) continue;
    throw Error(Failure::Incomplete, fmt::format("{}: the file that is there is not overwritten: "
                                                 "no earlier result lists it: move it elsewhere",
                                                 path.string()));
  }
}

// Whatever ends this, what is there by then says of itself that it is not done, and lists all files
// that are this program's.
void move_into(const fs::path& unfinished, const fs::path& folder, const TicketResult& result) {
  const Outputs earlier = earlier_outputs(folder);
  check_replaced(folder, earlier, result.outputs);
  TicketResult meanwhile = result;
  meanwhile.key.clear();
  meanwhile.outputs.insert(meanwhile.outputs.end(), earlier.begin(), earlier.end());
  write_ticket_file(folder, meanwhile);
  for (const TicketResult::Output& output : result.outputs) {
    fs::rename(unfinished / output.name, folder / output.name);
  }
  for (const TicketResult::Output& output : earlier) {
    if (!lists(result.outputs, output.name)) fs::remove(folder / output.name);
  }
  fs::rename(unfinished / ticket_file, folder / ticket_file);
  fs::remove(unfinished);
}

constexpr std::string_view not_read_again =
    "this is the result of an earlier run, as the ticket could not be read again: ";

// What `folder` says of itself if that is of the same ticket, which was read, and all of it is
// there.
std::optional<TicketResult> read_before(const fs::path& folder, const TicketResult& now) {
  std::optional<TicketResult> earlier = read_ticket_result(folder);
  const bool is_kept = earlier && earlier->error.empty() && earlier->files == now.files &&
                       is_whole(folder, *earlier);
  return is_kept ? std::move(earlier) : std::nullopt;
}

// `earlier` as it is kept after a run that could not read the ticket for `why`. Without a key it is
// not done: the next run tries again.
TicketResult kept(TicketResult earlier, const std::string& why) {
  constexpr int incomplete = 1;
  std::erase_if(earlier.warnings,
                [](const std::string& warning) { return warning.starts_with(not_read_again); });
  earlier.warnings.insert(earlier.warnings.begin(), fmt::format("{}{}", not_read_again, why));
  earlier.status = incomplete;
  earlier.key.clear();
  return earlier;
}

// The folders that files of `tickets` are in, those around these up to the root, and so where links
// lead that are such files; all without links.
std::set<fs::path> folders_of(const std::vector<Ticket>& tickets) {
  std::set<fs::path> folders;
  std::error_code ignored;
  const auto add = [&](fs::path folder) {
    while (folders.insert(folder).second && folder.has_relative_path()) {
      folder = folder.parent_path();
    }
  };
  for (const Ticket& ticket : tickets) {
    for (const fs::path& file : ticket.files) {
      add(fs::weakly_canonical(fs::absolute(file, ignored).parent_path(), ignored));
      add(fs::weakly_canonical(file, ignored).parent_path());
    }
  }
  return folders;
}

bool holds_files_of_vm(const fs::path& folder) {
  std::error_code ignored;
  const fs::directory_iterator entries(folder, ignored);
  return std::any_of(begin(entries), end(entries),
                     [](const auto& entry) { return has_vmwares_name(entry.path()); });
}

// What is in `folder` that no result may take the place of; empty if nothing is.
std::string_view kept_in(const fs::path& folder, const std::set<fs::path>& folders_of_inputs) {
  std::error_code ignored;
  if (!fs::exists(fs::symlink_status(folder, ignored))) return {};
  if (fs::is_directory(folder, ignored) && fs::is_empty(folder, ignored)) return {};
  if (!read_ticket_result(folder)) return "something else";
  if (holds_files_of_vm(folder)) return "files of a virtual machine beside it";
  const bool holds_inputs = folders_of_inputs.contains(fs::weakly_canonical(folder, ignored));
  return holds_inputs ? "files of a ticket in it" : std::string_view();
}

}  // namespace

void check_results(const fs::path& results, const std::vector<Ticket>& tickets) {
  std::error_code ignored;
  const fs::file_status status = fs::status(results, ignored);
  if (fs::exists(status) && !fs::is_directory(status)) {
    throw Error(Failure::Usage, fmt::format("{}: expected a folder for the results, found a file",
                                            results.string()));
  }
  const std::set<fs::path> folders_of_inputs = folders_of(tickets);
  for (const Ticket& ticket : tickets) {
    const fs::path folder = results / ticket.name;
    const std::string_view kept = kept_in(folder, folders_of_inputs);
    if (kept.empty()) continue;
    throw Error(Failure::Usage,
                fmt::format("{}: expected a result of photon-dmesg batch or nothing, found {}: "
                            "name another folder with -o",
                            folder.string(), kept));
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

Finished finish_result(const fs::path& unfinished, const fs::path& results, TicketResult& result) {
  const fs::path folder = results / result.name;
  auto earlier = result.error.empty() ? std::nullopt : read_before(folder, result);
  if (earlier) {
    result = kept(std::move(*earlier), result.error);
    on_disk([&] {
      write_ticket_file(folder, result);
      fs::remove_all(unfinished);
    });
    return Finished::EarlierKept;
  }
  on_disk([&] {
    list_outputs(unfinished, result);
    write_ticket_file(unfinished, result);
    std::error_code not_empty;
    fs::rename(unfinished, folder, not_empty);
    if (not_empty) move_into(unfinished, folder, result);
  });
  return Finished::Replaced;
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
