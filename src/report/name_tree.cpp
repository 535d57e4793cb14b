#include "report/name_tree.h"

#include "report/text_bytes.h"

namespace photon_dmesg {

void NameTree::add(std::string_view name, const std::string& value) {
  std::size_t node = root;
  for (const char byte : name) {
    std::size_t next = child(node, byte);
    if (next == none) {
      next = nodes_.size();
      nodes_.push_back({.byte = lower_case(byte), .sibling = nodes_[node].child});
      nodes_[node].child = next;
    }
    node = next;
  }
  if (node == root || nodes_[node].value != none) return;
  nodes_[node].value = values_.size();
  values_.push_back(value);
}

bool NameTree::has(std::string_view name) const {
  return longest(name, 0, [&](std::size_t length) { return length == name.size(); }).length > 0;
}

std::size_t NameTree::child(std::size_t node, char byte) const {
  const char wanted = lower_case(byte);
  std::size_t child = nodes_[node].child;
  while (child != none && nodes_[child].byte != wanted) child = nodes_[child].sibling;
  return child;
}

}  // namespace photon_dmesg
