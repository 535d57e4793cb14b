#include "cli/ticket_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <functional>
#include <optional>
#include <ostream>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "batch/content_id.h"
#include "checkpoint/vmware/companion_file.h"
#include "cli/exit_status.h"
#include "cli/guest_log.h"
#include "cli/guest_triage.h"
#include "cli/host_log_command.h"
#include "cli/output.h"
#include "cli/private_names.h"
#include "cli/session_options.h"
#include "cli/triage_command.h"
#include "cli/triage_details.h"
#include "report/redaction.h"
#include "report/time_format.h"
#include "report/triage_report.h"
#include "session/host_logs.h"
#include "session/session.h"
#include "session/vm_file_names.h"
#include "session/vm_files.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

// What the log is called in the ticket's folder: "log.txt", "log.ndjson".
std::string log_name(const OutputFormat& format) {
  return fmt::format("{}{}", log_name_begin,
                     &format == &output_formats.front() ? "txt" : format.name);
}

// The command line for this ticket alone, with `output` to be written.
Options options_of(const Options& options, const Ticket& ticket, fs::path output) {
  Options own = options;
  own.command = Command::Log;
  own.files = ticket.files;
  own.output = std::move(output);
  own.verbosity = TerminalDiagnostics::Level::Quiet;
  return own;
}

void add_new(std::vector<std::string>& all, const std::vector<std::string>& more) {
  for (const std::string& text : more) {
    if (std::find(all.begin(), all.end(), text) == all.end()) all.push_back(text);
  }
}

using WriteReport = void (*)(const TriageReport& report, std::ostream& out);

void write_report(const Options& own, const fs::path& path, const TriageReport& report,
                  WriteReport write) {
  Options to_file = own;
  to_file.output = path;
  write_output(to_file, [&](std::ostream& out) { write(report, out); });
}

void describe(const TriageReport& report, TicketResult& result) {
  if (report.guest) {
    result.release = report.guest->release;
    result.vm = report.guest->vm_name.value_or("");
    result.host = report.guest->identity.hostname.value_or("");
    if (report.guest->clock) {
      result.stopped = utc_time(report.guest->clock->clock().last_update_nsec);
    }
  }
  if (report.source) result.symbols = describe(report.source->symbols);
  result.records = report.log.records;
  result.last_message = report.log.last_text;
  result.last_nsec = report.facts.last_record_nsec;
  result.judged = true;
  for (const Finding& finding : report.verdict.findings) {
    result.findings.push_back({std::string(name_of(finding.kind)),
                               std::string(name_of(finding.grade)), headline(finding)});
  }
}

// What of a ticket is judged, and how.
using Judge = std::function<TriageReport(Diagnostics& diagnostics)>;

void judge_ticket(const Options& own, const Judge& judge, Redactor& redactor,
                  const fs::path& folder, TicketResult& result) {
  TerminalDiagnostics diagnostics(TerminalDiagnostics::Level::Quiet);
  TriageReport report = judge(diagnostics);
  report.warnings = diagnostics.warnings();
  if (own.redact) redact(redactor, report);
  describe(report, result);
  write_report(own, folder / triage_text_file, report, write_triage_text);
  write_report(own, folder / triage_json_file, report, write_triage_json);
  add_new(result.warnings, report.warnings);
}

TriageReport judge_whole_guest(const Options& own, Guest& guest, Redactor& redactor,
                               Diagnostics& diagnostics) {
  TriageReport report = judge_guest(guest, own.files, diagnostics);
  add_details(own, guest, redactor, report, diagnostics);
  guest.warn_of_unreadable(diagnostics);
  return report;
}

int write_log(const Options& own, Guest& guest, Redactor& redactor,
              TerminalDiagnostics& diagnostics) {
  GuestLog log(own, guest, false, redactor, diagnostics);
  write_output(own, [&](std::ostream& out) { log.write(out, diagnostics.warnings()); });
  return log.is_complete() && !diagnostics.has_lack() ? exit_complete : exit_incomplete;
}

// Whether that is of the results and not of what was read: without a place for them there is no
// result to tell of it.
bool is_unwritten(const Error& error) {
  return error.failure() == Failure::Incomplete;
}

// A log that can't be read leaves the verdict to be given, and the other way round.
void read_guest(const Options& own, Guest& guest, Redactor& redactor, const fs::path& folder,
                TerminalDiagnostics& diagnostics, TicketResult& result) {
  std::optional<Error> failure;
  try {
    result.status = write_log(own, guest, redactor, diagnostics);
  } catch (const Error& error) {
    if (is_unwritten(error)) throw;
    failure = error;
  }
  result.warnings = diagnostics.warnings();
  const auto judge = [&](Diagnostics& own_diagnostics) {
    return judge_whole_guest(own, guest, redactor, own_diagnostics);
  };
  judge_ticket(own, judge, redactor, folder, result);
  if (failure) throw Error(*failure);
}

// What was said of a guest that can't be opened may be why.
Guest open_guest(const Options& own, session::Shared shared, TerminalDiagnostics& diagnostics,
                 TicketResult& result) {
  try {
    return session::open(own.files, std::move(shared), session_options(own), diagnostics);
  } catch (const Error&) {
    result.warnings = diagnostics.warnings();
    throw;
  }
}

void read_ticket(const Options& own, const std::shared_ptr<SymbolPool>& shared, Redactor& redactor,
                 const fs::path& folder, TicketResult& result) {
  TerminalDiagnostics diagnostics(TerminalDiagnostics::Level::Quiet);
  const auto tree = std::make_shared<BundleTree>();
  if (are_host_logs(own.files, *tree, diagnostics)) {
    result.status = print_host_log(own, *tree, redactor, diagnostics);
    result.warnings = diagnostics.warnings();
    const auto judge = [&](Diagnostics& own_diagnostics) {
      return judge_host_logs(own, *tree, redactor, own_diagnostics);
    };
    return judge_ticket(own, judge, redactor, folder, result);
  }
  Guest guest = open_guest(own, {tree, shared}, diagnostics, result);
  read_guest(own, guest, redactor, folder, diagnostics, result);
}

void replace_all(std::string& text, const std::string& what, std::string_view by) {
  if (what.empty()) return;
  for (auto place = text.find(what); place != std::string::npos;
       place = text.find(what, place + by.size())) {
    text.replace(place, what.size(), by);
  }
}

bool is_part_of_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

// The same where `what` is no part of a longer word.
void replace_words(std::string& text, const std::string& what, std::string_view by) {
  std::size_t place = what.empty() ? std::string::npos : text.find(what);
  while (place != std::string::npos) {
    const std::size_t end = place + what.size();
    const bool is_word = (place == 0 || !is_part_of_word(text[place - 1])) &&
                         (end == text.size() || !is_part_of_word(text[end]));
    if (is_word) text.replace(place, what.size(), by);
    place = text.find(what, place + (is_word ? by.size() : 1));
  }
}

// The files of a ticket, and what those of them lead to that are links.
std::vector<fs::path> with_targets(std::vector<fs::path> files) {
  const std::size_t named = files.size();
  for (std::size_t i = 0; i < named; ++i) {
    if (auto target = disk_tree().behind_links(files[i])) files.push_back(std::move(*target));
  }
  return files;
}

// What --redact leaves of a message: the files of a ticket are called as people and machines are.
void hide(std::string& text, const Ticket& ticket, Redactor& redactor) {
  constexpr std::string_view placeholder = "<file>";
  const std::vector<fs::path> files = with_targets(ticket.files);
  for (const fs::path& file : files) replace_all(text, file.string(), placeholder);
  for (const fs::path& file : files) {
    const fs::path folder = file.parent_path();
    if (folder != "." && folder != ".." && folder.has_relative_path()) {
      replace_all(text, folder.string(), placeholder);
    }
    replace_words(text, file.stem().string(), placeholder);
  }
  text = redactor.redact(text);
}

// Whether a file of that name may be read when the VM is that it is of.
bool is_evidence_of_vm(const fs::path& path) {
  constexpr std::array patterns = {"*.vmss", "*.vmsn", "*.guest", "*.vmem", vm_configuration_name};
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const char* pattern) { return is_named_or_packed(path, pattern); });
}

bool is_host_log_of_vm(const fs::path& path) {
  return is_named(path, vm_log_name) || is_named(path, old_vm_log_name);
}

// The files beside `file` that may be read with it: those of its name, and the host's logs; of a
// folder or a configuration, whose current checkpoint is another one tomorrow, all that are of VMs.
std::vector<fs::path> files_beside(const fs::path& file) {
  std::error_code ignored;
  const bool is_folder = fs::is_directory(file, ignored);
  std::vector<fs::path> found = disk_tree().files(is_folder ? file : folder_of(file));
  std::erase_if(found, [&](const fs::path& path) {
    const bool is_meant =
        is_folder || is_vm_configuration(file) || shared_name(path) == shared_name(file);
    const bool is_read = is_host_log_of_vm(path) || (is_meant && is_evidence_of_vm(path));
    return !is_read || path.filename() == file.filename();
  });
  return found;
}

// The same, and those beside what `file` leads to if it is a link, which may have another name.
std::vector<fs::path> files_read_with(const fs::path& file) {
  std::vector<fs::path> found = files_beside(file);
  std::error_code ignored;
  const auto target = disk_tree().behind_links(file);
  if (target && fs::is_symlink(file, ignored)) {
    const std::vector<fs::path> more = files_beside(*target);
    found.insert(found.end(), more.begin(), more.end());
  }
  return found;
}

std::string id_or_reason(const fs::path& file) {
  try {
    const auto bundle = file_on_the_way(file);  // the file itself, or the bundle that it is in
    return bundle ? evidence_id(*bundle) + file.lexically_relative(*bundle).string()
                  : evidence_id(file);
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

TicketResult run_ticket(const Options& options, const Ticket& ticket,
                        const std::shared_ptr<SymbolPool>& shared, const fs::path& folder) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point began = Clock::now();
  TicketResult result;
  result.name = ticket.name;
  result.generator = program_version();
  if (!options.redact) {
    for (const fs::path& file : ticket.files) result.files.push_back(file.string());
  }
  Redactor redactor;
  if (options.redact) learn_machines(ticket.files, redactor);
  try {
    read_ticket(options_of(options, ticket, folder / log_name(*options.format)), shared, redactor,
                folder, result);
  } catch (const Error& error) {
    if (is_unwritten(error)) throw;
    result.status = exit_status(error.failure());
    result.error = error.what();
  } catch (const std::exception& error) {
    result.status = exit_status(Failure::UnusableInput);
    result.error = error.what();
  }
  if (options.redact) {
    hide(result.error, ticket, redactor);
    for (std::string& warning : result.warnings) hide(warning, ticket, redactor);
    hide(result.symbols, ticket, redactor);
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - began).count();
  return result;
}

std::string key_of(const Options& options, const Ticket& ticket, const std::string& symbols) {
  std::string text =
      fmt::format("{}\n{}{}\n", program_version(), options.batch.fingerprint, symbols);
  for (const fs::path& file : ticket.files) {
    text += id_or_reason(file) + '\n';
    for (const fs::path& other : files_read_with(file)) {
      text += fmt::format("{} {}\n", id_or_reason(other), other.filename().string());
    }
  }
  return digest_of(text);
}

}  // namespace photon_dmesg
