#include "support/profile_writer.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kernel/symbols/banner.h"
#include "kernel/symbols/types_of_use.h"

namespace photon_dmesg::test {
namespace {

using Json = nlohmann::ordered_json;

Json layout_to_json(const StructLayout& layout) {
  Json json;
  json["size"] = layout.size();
  json["members"] = Json::array();
  for (const MemberLayout& member : layout.members()) {
    Json entry = {{"name", member.name}, {"offset", member.offset}, {"size", member.size}};
    if (member.bit_width > 0) {
      entry["bit_shift"] = member.bit_shift;
      entry["bit_width"] = member.bit_width;
    }
    json["members"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace

std::string json_profile(const KernelSymbols& symbols) {
  Json json;
  json["format"] = "photon-dmesg kernel profile";
  json["version"] = 1;
  json["release"] = "6.1.10-1.ph5";
  const std::optional<KernelBanner> banner = banner_of(symbols);
  json["banner"] = banner ? Json(banner->text + "\n" + '\0') : Json(nullptr);
  const std::optional<std::string> id = symbols.build_id();
  json["build_id"] = id ? Json(*id) : Json(nullptr);
  json["origin"] = "photon.iso: linux.rpm";
  json["symbols"] = Json::object();
  for (const char* name : {"_text", "linux_banner", "phys_base", "init_uts_ns", "prb", "log_buf",
                           "log_buf_len", "log_first_idx", "log_first_seq", "log_next_idx",
                           "log_next_seq", "printk_rb_static", "__log_buf"}) {
    if (const auto address = symbols.find_symbol(name)) {
      json["symbols"][name] = fmt::format("{}", *address);
    }
  }
  json["structs"] = Json::object();
  for (const StructLayout* layout : find_types_of_use(symbols)) {
    json["structs"][layout->name()] = layout_to_json(*layout);
  }
  constexpr int indent = 2;
  return json.dump(indent, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace photon_dmesg::test
