#include "report/formats/vocabulary.h"

#include <fmt/format.h>

#include <utility>

#include "report/time_format.h"

namespace photon_dmesg {
namespace {

Json step_to_json(const ClockHistory::Step& step) {
  return {{"cause", step.cause == ClockHistory::Step::Cause::Sleep ? "sleep" : "set"},
          {"nsec", step.nsec},
          {"ts_nsec", step.ts_nsec},
          {"placed", step.placed},
          {"until_ts_nsec", number_or_null(step.until_nsec)}};
}

Json clock_to_json(const std::optional<ClockHistory>& clock) {
  if (!clock) return nullptr;
  Json steps = Json::array();
  for (const ClockHistory::Step& step : clock->steps()) steps.push_back(step_to_json(step));
  return {{"realtime_offset_nsec", clock->offset_at_stop()},
          {"boot", utc_time(clock->boot())},
          {"stopped", utc_time(clock->clock().last_update_nsec)},
          {"uptime_nsec", clock->uptime()},
          {"drift_nsec", number_or_null(clock->drift())},
          {"sleep_nsec", number_or_null(clock->clock().sleep_nsec)},
          {"printk_follows", clock->printk_follows_raw() ? "raw" : "monotonic"},
          {"printk_ahead_nsec", number_or_null(clock->printk_ahead())},
          {"steps", std::move(steps)}};
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
          {"architecture", guest.architecture},
          {"kaslr_offset", hexadecimal(guest.kaslr_offset)},
          {guest.place_variable, hexadecimal(guest.image_place)},
          {"vcpus", guest.vcpus},
          {"memory_bytes", guest.memory_bytes},
          {"hostname", text_or_null(guest.identity.hostname)},
          {"boot_id", text_or_null(guest.identity.boot_id)},
          {"vm", text_or_null(guest.vm_name)},
          {"clock", clock_to_json(guest.clock)}};
}

Json boot_to_json(const GuestInfo& guest) {
  return guest.clock ? Json(utc_time(guest.clock->boot())) : Json(nullptr);
}

Json source_to_json(const SourceInfo& source) {
  return {{"checkpoint", to_utf8(source.checkpoint).text},
          {"memory", to_utf8(source.memory).text},
          {"iso", text_or_null(source.symbols.iso)},
          {"package", text_or_null(source.symbols.package)},
          {"vmlinux", text_or_null(source.symbols.vmlinux)},
          {"system_map", text_or_null(source.symbols.system_map)},
          {"boot_image", text_or_null(source.symbols.boot_image)},
          {"symbols_in_memory", text_or_null(source.symbols.memory)},
          {"profile", text_or_null(source.symbols.profile)}};
}

Json sentences_to_json(const std::vector<std::string>& sentences) {
  Json list = Json::array();
  for (const std::string& sentence : sentences) list.push_back(to_utf8(sentence).text);
  return list;
}

}  // namespace photon_dmesg
