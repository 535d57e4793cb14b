#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace photon_dmesg {

// What became of a ticket: what its result folder says of itself, and a summary of many. What is
// not known is absent or empty.
struct TicketResult {
  std::string name;
  std::vector<std::string> files;  // as they were named; none with --redact
  std::string generator;           // "photon-dmesg 1.2.3"
  int status = 0;                  // what photon-dmesg would have ended with for it alone
  std::string error;               // why there is no log
  std::vector<std::string> warnings;

  // What it was made of: a digest of its inputs' contents, of the symbols' and of the options.
  std::string key;

  std::string release;
  std::string vm;
  std::string host;
  std::string symbols;                 // where they were found
  std::optional<std::string> stopped;  // UTC, as ISO 8601
  std::uint64_t records = 0;           // that the log holds
  std::string last_message;
  std::optional<std::uint64_t> last_nsec;  // when it was logged, nanoseconds since boot

  // The verdict: kinds as JSON has them, the one to know first at the front; empty: nothing wrong
  // was found. Without `judged` nobody looked.
  struct Finding {
    std::string kind;
    std::string grade;
    std::string headline;
  };
  std::vector<Finding> findings;
  bool judged = false;

  // The files beside this one.
  struct Output {
    std::string name;
    std::uint64_t bytes = 0;
    std::string sha256;
  };
  std::vector<Output> outputs;
  double seconds = 0;  // that it took
};

// What its file in the result folder is called; it is there once all others are.
inline constexpr const char* ticket_file = "ticket.json";
// And the files beside it: the log, with the name of its format behind the dot, and the verdict.
inline constexpr std::string_view log_name_begin = "log.";
inline constexpr std::string_view triage_text_file = "triage.txt";
inline constexpr std::string_view triage_json_file = "triage.json";
// Whether `name` is of one of these files beside it.
[[nodiscard]] bool is_output_name(std::string_view name);

// One JSON document; docs/many.md describes it.
[[nodiscard]] std::string to_json(const TicketResult& result);
// The same on one line, without the files beside it.
[[nodiscard]] std::string to_json_line(const TicketResult& result);

// What `folder` says of itself. Nothing if there is no such file in it, or none of ours.
[[nodiscard]] std::optional<TicketResult> read_ticket_result(const std::filesystem::path& folder);

}  // namespace photon_dmesg
