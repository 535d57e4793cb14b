#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "batch/ticket_result.h"

namespace photon_dmesg {

// Many tickets on one page: those first where something is wrong, the worst at the front, and of
// equal ones by release, by when they stopped, and by their last message; those that could not be
// read come last.
class Summary {
 public:
  // What its files begin with.
  static constexpr std::string_view csv_begin = "ticket,status,";
  static constexpr std::string_view line_begin = "{\"schema\":1,\"ticket\":";

  explicit Summary(std::vector<TicketResult> results);

  [[nodiscard]] const std::vector<TicketResult>& results() const { return results_; }

  // "200 tickets: 12 PANIC, 3 HARD LOCKUP, 183 nothing wrong found, 2 not read".
  [[nodiscard]] std::string counts() const;

  // The same as a table for people, as comma-separated values (RFC 4180, with a line of names), and
  // as a line of JSON for each. Guest text steers no terminal and no spreadsheet.
  void write_text(std::ostream& out) const;
  void write_csv(std::ostream& out) const;
  void write_lines(std::ostream& out) const;

 private:
  std::vector<TicketResult> results_;
};

}  // namespace photon_dmesg
