#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace photon_dmesg {

// Text as a JSON string, appended to `out`: what dump() makes of to_utf8() of it, at once. Returns
// whether that had to change any byte of it.
bool append_json_text(std::string& out, std::string_view bytes);

// Prints an object of JSON member by member, byte for byte as dump() does; for what there are
// millions of. Each name at most once.
class JsonObject {
 public:
  // Appends to `out`, which must outlive it. `indent`: of its members, on lines of their own, in
  // `out` as it is printed; -1: all on one line.
  JsonObject(std::string& out, int indent);

  void add(std::string_view name, std::uint64_t number);
  void add(std::string_view name, bool value);
  // As JSON knows numbers that are none of integers: at least one digit behind the point.
  void add(std::string_view name, double number);
  // Text of ours, which needs no escape.
  void add_plain(std::string_view name, std::string_view text);
  // Any text; returns whether it had to be changed.
  bool add_text(std::string_view name, std::string_view text);
  // What has been printed before.
  void add_printed(std::string_view name, std::string_view json);

  // Its end, `indent` left of which its members stand.
  void end(int indent);

 private:
  void begin_member(std::string_view name);
  void new_line(int indent);

  std::string& out_;
  int indent_;
  bool is_empty_ = true;
};

}  // namespace photon_dmesg
