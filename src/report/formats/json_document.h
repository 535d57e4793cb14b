#pragma once

#include <ostream>
#include <string>
#include <string_view>

#include "report/formats/json_text.h"

namespace photon_dmesg {

// `text` with every line of it indented, but the first.
[[nodiscard]] std::string indented(std::string_view text, std::size_t by);

// Prints a document of JSON member by member, and the arrays of what there is much of element by
// element, byte for byte as dump() does: no more of it than one of these is ever in memory.
class JsonDocument {
 public:
  // `out` must outlive this object.
  explicit JsonDocument(std::ostream& out) : out_(out) { out_ << '{'; }

  void member(std::string_view key, const Json& value);

  // An array as a member; its elements follow.
  void begin_array(std::string_view key);
  void element(const Json& value);
  // What stands in front of the next element, for who prints that without this object.
  [[nodiscard]] std::string_view begin_element();
  void end_array();

  // The end of the document and of its last line.
  void end();

 private:
  void name(std::string_view key);

  std::ostream& out_;
  bool is_first_member_ = true;
  bool is_first_element_ = true;
};

}  // namespace photon_dmesg
