#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "report/info.h"
#include "report/time_format.h"

namespace photon_dmesg {
namespace {

using Json = nlohmann::ordered_json;

std::string hex(std::uint64_t value) {
  return fmt::format("{:#x}", value);
}

template <typename Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json text_or_null(const std::optional<std::string>& text) {
  return text ? Json(printable(*text)) : Json(nullptr);
}

Json address_or_null(const std::optional<GuestVirtual>& address) {
  return address ? Json(hex(address->value)) : Json(nullptr);
}

Json describe(const MemoryDescription& memory) {
  Json regions = Json::array();
  for (const MemoryRegion& region : memory.regions) {
    regions.push_back(
        {{"ppn", region.first_ppn}, {"image_page", region.image_page}, {"pages", region.pages}});
  }
  Json result = {{"configured_mib", or_null(memory.configured_mib)}, {"regions", regions}};
  if (memory.block) {
    result["block"] = {{"offset", memory.block->offset}, {"size", memory.block->size}};
  }
  return result;
}

Json describe(const CheckpointInfo& info) {
  Json groups = Json::array();
  for (const TagFile::Group& group : info.groups) {
    groups.push_back({{"name", printable(group.name)},
                      {"offset", group.position},
                      {"end", group.end},
                      {"truncated", group.truncated}});
  }
  return {{"magic", hex(info.magic)},
          {"meaning", info.meaning},
          {"version", info.version},
          {"product", text_or_null(info.product)},
          {"product_version", text_or_null(info.product_version)},
          {"screenshot", info.has_screenshot},
          {"configuration", info.has_configuration},
          {"memory", info.memory ? describe(*info.memory) : Json(nullptr)},
          {"groups", groups}};
}

Json describe(const InfoReport::Cpu& cpu) {
  Json result = {{"index", cpu.registers.index},
                 {"rip", address_or_null(cpu.registers.rip)},
                 {"symbol", nullptr},
                 {"cs", or_null(cpu.registers.cs)},
                 {"cr3", cpu.registers.cr[3] ? Json(hex(*cpu.registers.cr[3])) : Json(nullptr)}};
  if (cpu.place) result["symbol"] = fmt::format("{}+{:#x}", cpu.place->name, cpu.place->offset);
  return result;
}

Json describe(const InfoReport::Kernel& kernel) {
  Json result = {{"release", printable(kernel.release)},
                 {"banner", printable(kernel.banner)},
                 {"kaslr_offset", hex(kernel.kaslr_offset)},
                 {"phys_base", hex(kernel.phys_base)},
                 {"build_id", or_null(kernel.build_id)},
                 {"booted", nullptr},
                 {"stopped", nullptr},
                 {"uptime_nsec", nullptr}};
  if (kernel.clock) {
    result["booted"] = utc_time(kernel.clock->realtime_offset_nsec);
    result["stopped"] = utc_time(kernel.clock->last_update_nsec);
    result["uptime_nsec"] = kernel.clock->last_update_nsec - kernel.clock->realtime_offset_nsec;
  }
  return result;
}

Json describe(const ListedTag& listed) {
  const bool compressed = listed.tag.encoding == CheckpointTag::Encoding::CompressedBlock;
  return {{"group", printable(listed.group)}, {"name", printable(listed.tag.name)},
          {"indices", listed.tag.indices},    {"offset", listed.tag.value_offset},
          {"size", listed.tag.value_size},    {"compressed", compressed},
          {"number", or_null(listed.number)}, {"text", text_or_null(listed.text)}};
}

Json describe(const InfoReport::File& file) {
  Json result = {{"path", printable(file.path)}, {"kind", file.kind}};
  if (file.size) result["size"] = *file.size;
  return result;
}

Json describe(const PhysicalRange& range) {
  return {{"begin", hex(range.begin.value)}, {"size", range.size}};
}

template <typename Item>
Json list(const std::vector<Item>& items) {
  Json result = Json::array();
  for (const Item& item : items) result.push_back(describe(item));
  return result;
}

}  // namespace

void write_info_json(const InfoReport& report, std::ostream& out) {
  Json document = {
      {"files", list(report.files)},
      {"checkpoint", report.checkpoint ? describe(*report.checkpoint) : Json(nullptr)},
      {"vcpus", list(report.vcpus)},
      {"memory", {{"path", text_or_null(report.memory_path)}, {"ranges", list(report.memory)}}},
      {"kernel", report.kernel ? describe(*report.kernel) : Json(nullptr)}};
  if (!report.tags.empty()) document["tags"] = list(report.tags);
  Json problems = Json::array();
  for (const std::string& problem : report.problems) problems.push_back(printable(problem));
  document["problems"] = problems;
  out << document.dump(2) << '\n';
}

}  // namespace photon_dmesg
