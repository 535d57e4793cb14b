#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace photon_dmesg {

// Names and what stands for each, whatever their case: finds which of them a text has at a place.
// That looks at no more bytes of the text than the longest name has, however many names there are.
class NameTree {
 public:
  // `value` must not be empty. The first that stands for a name stays.
  void add(std::string_view name, const std::string& value);

  [[nodiscard]] bool empty() const { return values_.size() == 1; }
  [[nodiscard]] bool has(std::string_view name) const;

  struct Match {
    std::size_t length = 0;  // 0: there is none
    std::string_view value;
  };
  // The longest name that stands in `text` at `at` and that may end where it does:
  // `may_end(length)` says so of the place behind it.
  template <typename MayEnd>
  [[nodiscard]] Match longest(std::string_view text, std::size_t at, MayEnd may_end) const {
    Match match;
    std::size_t node = root;
    for (std::size_t length = 1; at + length <= text.size(); ++length) {
      node = child(node, text[at + length - 1]);
      if (node == none) break;
      const std::size_t value = nodes_[node].value;
      if (value != none && may_end(length)) match = {length, values_[value]};
    }
    return match;
  }

 private:
  static constexpr std::size_t none = 0;  // nothing leads to the root, and values_[0] is no value
  static constexpr std::size_t root = 0;

  // What names have begun with that end in its byte.
  struct Node {
    char byte = '\0';            // in lower case
    std::size_t child = none;    // the first of those that are longer by a byte
    std::size_t sibling = none;  // the next one behind the same beginning
    std::size_t value = none;    // of the name that ends here
  };

  [[nodiscard]] std::size_t child(std::size_t node, char byte) const;

  std::vector<Node> nodes_ = std::vector<Node>(1);
  std::vector<std::string> values_ = std::vector<std::string>(1);
};

}  // namespace photon_dmesg
