#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/budget.h"
#include "report/name_tree.h"
#include "report/private_text.h"

namespace photon_dmesg {

// Replaces in texts what tells of people and machines by placeholders: "<host-1>", "<ip-2>". The
// same original has the same placeholder for as long as this object lives, whatever its case. What
// every machine has, such as 127.0.0.1, stays, and so does what only looks like an address: a
// version, a PCI function, a time. Takes time linear in the text.
class Redactor {
 public:
  // From now on the guest's own `name` is replaced wherever it stands, with the domain behind it.
  // Names that say nothing, such as localhost, are not.
  void add_host(std::string_view name);
  // The same of what the host calls the virtual machine; but a name that is a word of every such
  // log, such as "photon", is replaced only as a whole value.
  void add_machine(std::string_view name);

  // Takes the name of a host that a text of the log introduces: "Hostname set to <web-1>". To be
  // called of all texts before the first is redacted, or those in front have the name yet. Of very
  // many names the last are left out: then missed_names() is true, and whoever reads the output
  // must be told.
  void learn(std::string_view text);
  [[nodiscard]] bool missed_names() const { return learnt_.exceeded(); }

  [[nodiscard]] std::string redact(std::string_view original);

  // The placeholder of a value that as a whole is of that kind; empty for an empty one.
  [[nodiscard]] std::string placeholder(PrivateKind kind, std::string_view original);

 private:
  struct Host {
    std::size_t length = 0;
    std::string placeholder;
  };

  [[nodiscard]] std::string replace_phrases(std::string_view text) const;
  [[nodiscard]] std::optional<Host> find_host(std::string_view text, std::size_t at) const;
  std::size_t pass(std::string_view text, std::size_t at, std::string& result) const;
  [[nodiscard]] std::string replacement(const PrivateText& found, std::string_view text,
                                        std::size_t begin);

  // No honest log introduces as many.
  Budget learnt_{"bytes of hosts' names", 64 * 1024};
  std::map<std::pair<PrivateKind, std::string>, std::string> placeholders_;
  std::map<PrivateKind, std::size_t> counts_;
  // And their placeholders: names that are a word or several with dots, and those that are neither.
  NameTree hosts_;
  NameTree phrases_;
};

}  // namespace photon_dmesg
