#include "report/private_text.h"

#include <algorithm>
#include <array>

#include "report/text_bytes.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t longest_value = 256;  // of what names a person or host
constexpr std::size_t longest_label = 64;   // of a host or domain (RFC 1035), of a mailbox

using Words = std::initializer_list<std::string_view>;

bool is_part_of_name(char byte) {
  return is_name_byte(byte) || byte == '.';
}

std::string_view name_at(std::string_view text, std::size_t at) {
  return text.substr(at, run_of(text, at, is_part_of_name, longest_value));
}

// Whether a name's last word is one of these: "luks.key", "vpn_pass", "hostname".
bool ends_in_word(std::string_view name, Words words) {
  return std::ranges::any_of(words, [&](std::string_view word) {
    if (!ends_with_case(name, word)) return false;
    return name.size() == word.size() || !is_alnum(name[name.size() - word.size() - 1]);
  });
}

bool ends_in(std::string_view name, Words endings) {
  return std::ranges::any_of(endings,
                             [&](std::string_view end) { return ends_with_case(name, end); });
}

// Those that stand for nothing else, whatever is in front of them.
bool is_certainly_secret(std::string_view name) {
  return ends_in(name, {"password", "passwd", "passphrase", "passcode", "token", "secret", "apikey",
                        "api_key", "api-key", "credential", "credentials"});
}

// Of what ends in "key" only words that have nothing to do with one are none: "sshkey", "authKey".
bool is_secret(std::string_view name) {
  const bool is_key = ends_in(name, {"key"}) && !ends_in_word(name, {"monkey", "hotkey", "turkey"});
  return is_key || is_certainly_secret(name) ||
         ends_in_word(name, {"pass", "pwd", "auth", "cookie", "psk"});
}

bool is_quote(char byte) {
  return byte == '"' || byte == '\'';
}

// Up to the end of the quotes, of which a backslash makes others a part, or up to a blank.
std::size_t value_length(std::string_view text, std::size_t at) {
  const char quote = at_or_zero(text, at);
  if (!is_quote(quote)) return run_of(text, at, [](char byte) { return !is_blank(byte); });
  std::size_t end = at + 1;
  while (end < text.size() && text[end] != quote) end += text[end] == '\\' ? 2 : 1;
  return std::min(text.size(), end + 1) - at;
}

std::size_t blanks_at(std::string_view text, std::size_t at) {
  constexpr std::size_t most = 8;  // of those that stand around a mark
  return run_of(
      text, at, [](char byte) { return byte == ' '; }, most);
}

// Where the value begins of what is called by the name that ends at `end`: behind "name=",
// "name = " or, in JSON, "\"name\": ". Nothing if there is none of these.
std::optional<std::size_t> value_of(std::string_view text, std::size_t end) {
  const bool is_quoted = at_or_zero(text, end) == '"';
  if (is_quoted) ++end;
  const std::size_t blanks = blanks_at(text, end);
  const std::size_t mark = end + blanks;
  if (at_or_zero(text, mark) != (is_quoted ? ':' : '=') || at_or_zero(text, mark + 1) == '=') {
    return std::nullopt;
  }
  const bool may_be_apart = is_quoted || blanks > 0;
  return mark + 1 + (may_be_apart ? blanks_at(text, mark + 1) : 0);
}

// "USER:PASSWORD" of "https://USER:PASSWORD@HOST/"; `at` is at the name of the scheme, `end`
// behind.
std::optional<PrivateText> find_login(std::string_view text, std::size_t at, std::size_t end) {
  constexpr std::string_view mark = "://";
  constexpr std::size_t longest = 256;
  if (!text.substr(end).starts_with(mark)) return std::nullopt;
  const std::size_t begin = end + mark.size();
  const std::size_t length = run_of(
      text, begin, [](char byte) { return byte != '@' && byte != '/' && !is_blank(byte); },
      longest);
  if (length == 0 || at_or_zero(text, begin + length) != '@') return std::nullopt;
  return PrivateText{.kind = PrivateKind::Secret, .skip = begin - at, .length = length};
}

// "Basic " of "Authorization: Basic ...".
std::size_t scheme_length(std::string_view text, std::size_t at) {
  const std::size_t length = run_of(text, at, is_alnum, longest_label);
  return at_or_zero(text, at + length) == ' ' ? length + 1 : 0;
}

std::optional<PrivateText> secret_at(std::string_view text, std::size_t at, std::size_t value) {
  const std::size_t length = value_length(text, value);
  if (length == 0) return std::nullopt;
  return PrivateText{.kind = PrivateKind::Secret, .skip = value - at, .length = length};
}

// What has no letter, of whatever alphabet, is no name.
bool is_number(std::string_view name) {
  return std::ranges::none_of(name, [](char byte) {
    return (is_alnum(byte) && !is_digit(byte)) || static_cast<unsigned char>(byte) >= 0x80;
  });
}

// "alice", "DOMAIN\alice", "alice@example.com", in any alphabet: only what logs put behind names is
// no part of them.
bool is_part_of_user(char byte) {
  constexpr std::string_view ends = "\"'`,;()<>[]{}";
  return !is_blank(byte) && ends.find(byte) == std::string_view::npos;
}

// A name of a person or host; "root" is every machine's, and a number is no name.
std::optional<PrivateText> name_value(PrivateKind kind, std::string_view text, std::size_t at,
                                      std::size_t value) {
  if (is_quote(at_or_zero(text, value))) ++value;
  const bool is_user = kind == PrivateKind::User;
  std::string_view name = text.substr(
      value, run_of(text, value, is_user ? is_part_of_user : is_part_of_name, longest_value));
  while (name.ends_with('.') || name.ends_with(':')) name.remove_suffix(1);
  const std::string_view local = name.substr(0, name.find('@'));
  const bool is_address = text.substr(value + name.size()).starts_with("://") ||
                          name.find("://") != std::string_view::npos;  // which may have a password
  if (is_address || is_number(local) || local == "root" || local == "localhost") {
    return std::nullopt;
  }
  return PrivateText{
      .kind = kind, .skip = value - at, .length = name.size(), .key = std::string(local)};
}

bool is_unit(std::string_view ending) {
  constexpr std::array<std::string_view, 11> units = {"service", "socket", "target",   "slice",
                                                      "scope",   "mount",  "device",   "timer",
                                                      "path",    "swap",   "automount"};
  return std::ranges::find(units, ending) != units.end();
}

// Of what names a file and no host.
bool is_file_ending(std::string_view ending) {
  constexpr std::array<std::string_view, 14> endings = {"vmss", "vmsn", "vmem", "vmx", "vmdk",
                                                        "log",  "core", "iso",  "gz",  "zst",
                                                        "raw",  "img",  "json", "txt"};
  return std::ranges::find(endings, ending) != endings.end() || is_unit(ending);
}

// "ip=CLIENT:SERVER:GATEWAY:MASK:HOSTNAME:DEVICE:AUTOCONF" of the kernel's command line.
std::string_view host_of_ip_option(std::string_view text) {
  constexpr std::string_view option = " ip=";
  constexpr int fields_before = 4;
  std::size_t at = text.find(option);
  if (at == std::string_view::npos) return {};
  at += option.size();
  for (int i = 0; i < fields_before; ++i) {
    at += run_of(text, at, [](char byte) { return byte != ':' && !is_blank(byte); });
    if (at_or_zero(text, at) != ':') return {};
    ++at;
  }
  return name_at(text, at);
}

}  // namespace

std::size_t name_length(std::string_view text, std::size_t at) {
  return run_of(text, at, is_part_of_name);
}

std::optional<PrivateText> find_secret(std::string_view text, std::size_t at,
                                       std::string_view name) {
  const std::size_t end = at + name.size();
  const char mark = at_or_zero(text, end);
  if (const auto value = value_of(text, end)) {
    return is_secret(name) ? secret_at(text, at, *value) : std::nullopt;
  }
  if (mark == ' ') {
    const bool is_option = at >= 2 && text.substr(at - 2, 2) == "--" && is_secret(name);
    const bool is_scheme = equal_case(name, "bearer");
    return is_option || is_scheme ? secret_at(text, at, end + 1) : std::nullopt;
  }
  if (auto login = find_login(text, at, end)) return login;
  // "key: 5" stands for much else in a log.
  const bool is_labelled = mark == ':' && at_or_zero(text, end + 1) == ' ';
  if (!is_labelled) return std::nullopt;
  if (ends_in_word(name, {"authorization"})) {
    return secret_at(text, at, end + 2 + scheme_length(text, end + 2));
  }
  return is_certainly_secret(name) ? secret_at(text, at, end + 2) : std::nullopt;
}

std::optional<PrivateText> find_named(std::string_view text, std::size_t at,
                                      std::string_view name) {
  constexpr std::array<std::string_view, 2> unknown = {"invalid user ", "illegal user "};
  for (const std::string_view phrase :
       {"for user ", "of user ", "authenticating user ", "publickey for ", "password for ",
        "invalid user ", "illegal user "}) {
    if (!starts_with_case(text.substr(at), phrase)) continue;
    const std::size_t value = at + phrase.size();
    const bool is_unknown = std::ranges::any_of(unknown, [&](std::string_view words) {
      return starts_with_case(text.substr(value), words);  // whose name comes behind that
    });
    return is_unknown ? std::nullopt : name_value(PrivateKind::User, text, at, value);
  }
  const std::optional<std::size_t> value = value_of(text, at + name.size());
  if (!value) return std::nullopt;
  if (ends_in_word(name, {"hostname", "host", "nodename", "rhost"})) {
    return name_value(PrivateKind::Host, text, at, *value);
  }
  if (ends_in_word(name, {"user", "username", "logname", "ruser", "login", "acct"})) {
    return name_value(PrivateKind::User, text, at, *value);
  }
  return std::nullopt;
}

std::optional<PrivateText> find_email(std::string_view text, std::size_t at,
                                      std::string_view name) {
  const auto is_part = [](char byte) { return is_part_of_name(byte) || byte == '+'; };
  const char behind = at_or_zero(text, at + name.size());
  if (behind != '@' && behind != '+') return std::nullopt;
  const std::size_t local = run_of(text, at, is_part, longest_label + 1);
  if (local > longest_label || at_or_zero(text, at + local) != '@') return std::nullopt;
  const std::size_t begin = at + local + 1;
  const std::size_t first = run_of(text, begin, is_name_byte, longest_label);
  const std::size_t length = first + domain_length(text, begin + first);
  const std::string_view domain = text.substr(begin, length);
  const char next = at_or_zero(text, begin + length);
  const bool is_place =
      domain.empty() || is_digit(domain.front()) || std::ranges::all_of(domain, is_hex);
  const bool is_of_unit =
      next == '\\' || (next == '.' && is_unit(name_at(text, begin + length + 1)));
  if (is_place || is_of_unit) return std::nullopt;
  return PrivateText{.kind = PrivateKind::Email, .length = local + 1 + length};
}

std::optional<PrivateText> find_user_folder(std::string_view text, std::size_t at) {
  for (const std::string_view folder : {"/home/", "/Users/"}) {
    if (!text.substr(at).starts_with(folder)) continue;
    const std::size_t slashes =
        run_of(text, at + folder.size(), [](char byte) { return byte == '/'; });
    const std::size_t skip = folder.size() + slashes;
    std::size_t length = run_of(text, at + skip, [](char byte) {
      return byte != '/' && byte != '"' && byte != '\'' && byte != ':' && byte != ',' &&
             byte != ')' && !is_blank(byte);
    });
    while (length > 0 && text[at + skip + length - 1] == '.') --length;  // of a sentence
    if (length == 0) return std::nullopt;
    return PrivateText{.kind = PrivateKind::User, .skip = skip, .length = length};
  }
  return std::nullopt;
}

std::string_view introduced_host(std::string_view text) {
  constexpr std::array<std::string_view, 5> phrases = {
      "ostname set to <", "et hostname to <", "hostname=", "nfs: server ", "lockd: server "};
  for (const std::string_view phrase : phrases) {
    const std::size_t found = text.find(phrase);
    if (found == std::string_view::npos) continue;
    const std::string_view name = name_at(text, found + phrase.size());
    if (!is_number(name)) return name;  // an address
  }
  return host_of_ip_option(text);
}

std::size_t domain_length(std::string_view text, std::size_t at) {
  std::size_t length = 0;
  while (length < longest_value && at_or_zero(text, at + length) == '.') {
    const std::size_t label = run_of(text, at + length + 1, is_name_byte, longest_label);
    if (label == 0 || is_file_ending(text.substr(at + length + 1, label))) break;
    length += 1 + label;
  }
  return length;
}

}  // namespace photon_dmesg
