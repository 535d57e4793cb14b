#include "report/redactor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "report/private_numbers.h"
#include "report/text_bytes.h"

namespace photon_dmesg {
namespace {

std::string_view name_of(PrivateKind kind) {
  switch (kind) {
    case PrivateKind::Host:
      return "host";
    case PrivateKind::User:
      return "user";
    case PrivateKind::Ip:
      return "ip";
    case PrivateKind::Mac:
      return "mac";
    case PrivateKind::Email:
      return "email";
    case PrivateKind::Uuid:
      return "uuid";
    case PrivateKind::Serial:
      return "serial";
    case PrivateKind::Secret:
      break;
  }
  return "secret";
}

// Names that tell nothing of whose machine it is.
bool says_nothing(std::string_view host) {
  constexpr std::array<std::string_view, 4> names = {"localhost", "(none)", "localhost.localdomain",
                                                     "linux"};
  return host.size() < 2 || std::ranges::find(names, host) != names.end();
}

bool is_part_of_host(char byte) {
  return is_name_byte(byte) || byte == '.';
}

bool begins_word(std::string_view text, std::size_t at) {
  return at == 0 || (!is_alnum(text[at - 1]) && text[at - 1] != '_');
}

std::optional<PrivateText> find_private(std::string_view text, std::size_t at,
                                        std::string_view name) {
  if (text[at] == '/') return find_user_folder(text, at);
  if (!begins_word(text, at)) return std::nullopt;
  if (text[at] == ':') return find_ip(text, at);
  if (!is_alnum(text[at])) return std::nullopt;
  for (auto* const find : {find_secret, find_named, find_email}) {
    if (auto found = find(text, at, name)) return found;
  }
  for (auto* const find : {find_serial, find_uuid, find_mac, find_ip}) {
    if (auto found = find(text, at)) return found;
  }
  return std::nullopt;
}

}  // namespace

std::string Redactor::placeholder(PrivateKind kind, std::string_view original) {
  if (original.empty()) return {};
  const auto [entry, is_new] = placeholders_.try_emplace({kind, lower_case(original)});
  if (is_new) entry->second = fmt::format("<{}-{}>", name_of(kind), ++counts_[kind]);
  return entry->second;
}

void Redactor::add_host(std::string_view name) {
  const std::string lower = lower_case(name);
  if (says_nothing(lower)) return;
  if (!std::ranges::all_of(lower, is_part_of_host)) {
    phrases_.add(lower, placeholder(PrivateKind::Host, lower));
    return;
  }
  const std::string first = lower.substr(0, lower.find('.'));
  const std::string by = placeholder(PrivateKind::Host, first);
  hosts_.add(lower, by);
  if (!says_nothing(first)) hosts_.add(first, by);
}

void Redactor::add_machine(std::string_view name) {
  constexpr std::array<std::string_view, 5> common = {"photon", "linux", "vmware", "vm", "guest"};
  if (std::ranges::find(common, lower_case(name)) == common.end()) add_host(name);
}

void Redactor::learn(std::string_view text) {
  std::string name = lower_case(introduced_host(text));
  while (name.ends_with('.')) name.pop_back();
  if (says_nothing(name) || hosts_.has(name) || !learnt_.take(name.size())) return;
  hosts_.add(name, placeholder(PrivateKind::Host, name));
}

// Of names with blanks or other marks in them, wherever they stand.
std::string Redactor::replace_phrases(std::string_view text) const {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const NameTree::Match phrase = phrases_.longest(text, at, [](std::size_t) { return true; });
    result += phrase.length > 0 ? phrase.value : text.substr(at, 1);
    at += std::max<std::size_t>(1, phrase.length);
  }
  return result;
}

// The longest one that ends where a run of letters and digits does: a virtual machine's files are
// called NAME-Snapshot1.vmsn.
std::optional<Redactor::Host> Redactor::find_host(std::string_view text, std::size_t at) const {
  const NameTree::Match host = hosts_.longest(text, at, [&](std::size_t length) {
    const char next = at_or_zero(text, at + length);
    return is_alnum(text[at + length - 1]) && !is_alnum(next) && next != '_';
  });
  if (host.length == 0) return std::nullopt;
  const std::size_t domain = domain_length(text, at + host.length);
  const bool is_option = at_or_zero(text, at + host.length + domain) == '=';  // "photon.debug=1"
  return Host{.length = host.length + (is_option ? 0 : domain),
              .placeholder = std::string(host.value)};
}

// Takes what stands at `at` and is no private text to `result`: a known host's name as its
// placeholder. Returns how many bytes that was.
std::size_t Redactor::pass(std::string_view text, std::size_t at, std::string& result) const {
  if (begins_word(text, at)) {
    if (const auto host = find_host(text, at)) {
      result += host->placeholder;
      return host->length;
    }
  }
  const std::size_t passed = std::max<std::size_t>(1, run_of(text, at, is_alnum));
  result += text.substr(at, passed);
  return passed;
}

std::string Redactor::replacement(const PrivateText& found, std::string_view text,
                                  std::size_t begin) {
  if (found.kind == PrivateKind::Host) {
    if (const auto host = find_host(text, begin)) return host->placeholder;
  }
  return placeholder(found.kind, found.key.empty() ? text.substr(begin, found.length) : found.key);
}

std::string Redactor::redact(std::string_view original) {
  const std::string whole = phrases_.empty() ? std::string(original) : replace_phrases(original);
  const std::string_view text = whole;
  std::string result;
  std::size_t at = 0;
  std::size_t name_end = 0;
  while (at < text.size()) {
    if (at >= name_end) name_end = at + name_length(text, at);
    const auto found = find_private(text, at, text.substr(at, name_end - at));
    if (!found) {
      at += pass(text, at, result);
      continue;
    }
    const std::size_t begin = at + found->skip;
    while (at < begin) at += pass(text.substr(0, begin), at, result);  // "web-1.token="
    result += replacement(*found, text, begin);
    at = begin + found->length;
  }
  return result;
}

}  // namespace photon_dmesg
