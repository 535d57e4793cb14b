#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace photon_dmesg {

// What those who keep a log put before the kernel's own line: a time of day, and what a syslog
// adds, a host and who wrote it. It differs from line to line, and where it ends can only be told
// by what comes next: what is not certain to be a host is left, as words of the kernel's.
class OuterPrefix {
 public:
  // Takes it off `text`; a tag stays unless it is the kernel's. The times, each with or without
  // brackets and a fraction: "Nov 29 01:50:12", "2026-11-29T01:50:12+00:00" with a blank for the T
  // too, "Sun 2026-11-29 01:50:12 UTC". Behind them "kernel: ", "host kernel: ", "host app[12]: ",
  // "host kern.emerg kernel: " (busybox), and "host app: " once the host is known by another line.
  // Behind a time with a comma, which is dmesg's (--time-format=iso), nothing but the text is
  // expected. Returns the facility of syslog(3) of who wrote the line, if it says so.
  std::optional<std::uint8_t> take(std::string_view& text);

 private:
  std::optional<std::uint8_t> take_writer(std::string_view& text);
  void learn(std::string_view host);
  [[nodiscard]] bool knows(std::string_view host) const;

  std::vector<std::string> hosts_;  // that lines have come from
};

}  // namespace photon_dmesg
