#include "report/formats/vocabulary.h"

#include <fmt/format.h>

#include "report/time_format.h"

namespace photon_dmesg {
namespace {

Json clock_to_json(const std::optional<GuestClock>& clock) {
  if (!clock) return nullptr;
  return {{"realtime_offset_nsec", clock->realtime_offset_nsec},
          {"boot", utc_time(clock->realtime_offset_nsec)},
          {"stopped", utc_time(clock->last_update_nsec)},
          {"uptime_nsec", clock->last_update_nsec - clock->realtime_offset_nsec}};
}

}  // namespace

std::string hexadecimal(std::uint64_t value) {
  return fmt::format("{:#x}", value);
}

Json text_or_null(const std::optional<std::string>& text) {
  return text ? Json(to_utf8(*text).text) : Json(nullptr);
}

Json schema_to_json(const char* name) {
  return {{"name", name}, {"version", json_schema_version}};
}

Json guest_to_json(const GuestInfo& guest) {
  return {{"release", to_utf8(guest.release).text},
          {"banner", to_utf8(guest.banner).text},
          {"build_id", text_or_null(guest.build_id)},
          {"kaslr_offset", hexadecimal(guest.kaslr_offset)},
          {"phys_base", hexadecimal(guest.phys_base)},
          {"vcpus", guest.vcpus},
          {"memory_bytes", guest.memory_bytes},
          {"hostname", text_or_null(guest.identity.hostname)},
          {"boot_id", text_or_null(guest.identity.boot_id)},
          {"vm", text_or_null(guest.vm_name)},
          {"clock", clock_to_json(guest.clock)}};
}

Json boot_to_json(const GuestInfo& guest) {
  return guest.clock ? Json(utc_time(guest.clock->realtime_offset_nsec)) : Json(nullptr);
}

Json source_to_json(const SourceInfo& source) {
  return {{"checkpoint", to_utf8(source.checkpoint).text},
          {"memory", to_utf8(source.memory).text},
          {"iso", text_or_null(source.symbols.iso)},
          {"package", text_or_null(source.symbols.package)},
          {"vmlinux", text_or_null(source.symbols.vmlinux)},
          {"system_map", text_or_null(source.symbols.system_map)},
          {"symbols_in_memory", text_or_null(source.symbols.memory)},
          {"profile", text_or_null(source.symbols.profile)}};
}

Json sentences_to_json(const std::vector<std::string>& sentences) {
  Json list = Json::array();
  for (const std::string& sentence : sentences) list.push_back(to_utf8(sentence).text);
  return list;
}

}  // namespace photon_dmesg
