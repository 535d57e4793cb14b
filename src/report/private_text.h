#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// What tells of people and machines in a kernel's log, and what it looks like there.
namespace photon_dmesg {

enum class PrivateKind { Host, User, Ip, Mac, Email, Uuid, Serial, Secret };

// A private thing at a place that was looked at: `skip` bytes from there on stay, and the `length`
// bytes behind them are it.
struct PrivateText {
  PrivateKind kind = PrivateKind::Secret;
  std::size_t skip = 0;
  std::size_t length = 0;
  std::string key = {};  // what it is known by, where that is not the bytes themselves
};

// Each of these looks at the place `at` of all of `text`, where a run of letters and digits begins.
// They take time linear in what they return, or look no farther than a bounded number of bytes.

// How many bytes from `at` on are a name as options, hosts and users have them, dots included. The
// functions below that take such a `name` are told it: texts may be one long name of many words, at
// each of which it ends at the same place.
[[nodiscard]] std::size_t name_length(std::string_view text, std::size_t at);

// "password=...", "--token ...", "Bearer ...", "Authorization: Basic ...".
[[nodiscard]] std::optional<PrivateText> find_secret(std::string_view text, std::size_t at,
                                                     std::string_view name);
// "hostname=...", "user=...", "session opened for user NAME".
[[nodiscard]] std::optional<PrivateText> find_named(std::string_view text, std::size_t at,
                                                    std::string_view name);
// "name@example.com"; units of systemd and places in memory are none.
[[nodiscard]] std::optional<PrivateText> find_email(std::string_view text, std::size_t at,
                                                    std::string_view name);

// "/home/NAME", at the slash.
[[nodiscard]] std::optional<PrivateText> find_user_folder(std::string_view text, std::size_t at);

// The name of a host that a line of the log introduces, as "Hostname set to <NAME>" does. Empty if
// it does not.
[[nodiscard]] std::string_view introduced_host(std::string_view text);

// How many bytes of "." and labels follow a host's name at `at`: its domain, and not the ending of
// a file's name.
[[nodiscard]] std::size_t domain_length(std::string_view text, std::size_t at);

}  // namespace photon_dmesg
