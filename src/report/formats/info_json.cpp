#include <fmt/format.h>

#include <string>
#include <string_view>

#include "kernel/arch/machines/machines.h"
#include "report/formats/json_text.h"
#include "report/formats/vocabulary.h"
#include "report/info.h"

namespace photon_dmesg {
namespace {

std::string utf8(std::string_view text) {
  return to_utf8(text).text;
}

Json describe(const MemoryDescription& memory) {
  Json regions = Json::array();
  for (const MemoryRegion& region : memory.regions) {
    regions.push_back(
        {{"ppn", region.first_ppn}, {"image_page", region.image_page}, {"pages", region.pages}});
  }
  Json result = {{"configured_mib", number_or_null(memory.configured_mib)},
                 {"regions", regions},
                 {"block", nullptr}};
  if (memory.block) {
    result["block"] = {{"offset", memory.block->offset}, {"size", memory.block->size}};
  }
  return result;
}

Json describe(const CheckpointInfo& info) {
  Json groups = Json::array();
  for (const TagFile::Group& group : info.groups) {
    groups.push_back({{"name", utf8(group.name)},
                      {"offset", group.position},
                      {"end", group.end},
                      {"truncated", group.truncated}});
  }
  return {{"magic", hexadecimal(info.magic)},
          {"meaning", info.meaning},
          {"version", info.version},
          {"product", text_or_null(info.product)},
          {"product_version", text_or_null(info.product_version)},
          {"screenshot", info.has_screenshot},
          {"configuration", info.has_configuration},
          {"memory", info.memory ? describe(*info.memory) : Json(nullptr)},
          {"groups", groups}};
}

std::optional<std::string> symbol_of(const InfoReport::Cpu& cpu) {
  if (!cpu.place) return std::nullopt;
  return fmt::format("{}+{:#x}", cpu.place->name, cpu.place->offset);
}

Json describe(const Architecture::ShownRegister& shown) {
  if (!shown.value) return nullptr;
  return shown.is_decimal ? Json(*shown.value) : Json(hexadecimal(*shown.value));
}

// What the instruction pointer points at stands behind it.
Json describe_registers(const InfoReport::Cpu& cpu) {
  const Vcpu& vcpu = cpu.registers;
  Json result = {{"index", vcpu.index}};
  for (const auto& shown : architecture_of(vcpu.machine).shown_registers(vcpu)) {
    result[shown.key] = describe(shown);
    if (!result.contains("symbol")) result["symbol"] = text_or_null(symbol_of(cpu));
  }
  return result;
}

Json describe(const InfoReport::Cpu& cpu) {
  Json result = describe_registers(cpu);
  result["task"] =
      cpu.task ? Json{{"pid", cpu.task->pid}, {"comm", utf8(cpu.task->comm)}} : Json(nullptr);
  result["frames"] = Json::array();
  for (const std::string& frame : cpu.frames) result["frames"].push_back(utf8(frame));
  return result;
}

Json describe(const ListedTag& listed) {
  const bool compressed = listed.tag.encoding == CheckpointTag::Encoding::CompressedBlock;
  return {{"group", utf8(listed.group)},
          {"name", utf8(listed.tag.name)},
          {"indices", listed.tag.indices},
          {"offset", listed.tag.value_offset},
          {"size", listed.tag.value_size},
          {"compressed", compressed},
          {"number", number_or_null(listed.number)},
          {"text", text_or_null(listed.text)}};
}

Json describe(const InfoReport::File& file) {
  return {{"path", utf8(file.path)}, {"kind", file.kind}, {"size", number_or_null(file.size)}};
}

Json describe(const InfoReport::Kernel& kernel) {
  return {{"release", utf8(kernel.release)},
          {"package", utf8(kernel.package)},
          {"vmlinux", kernel.has_types}};
}

Json describe(const PhysicalRange& range) {
  return {{"begin", hexadecimal(range.begin.value)}, {"size", range.size}};
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
      {"schema", schema_to_json("photon-dmesg-info")},
      {"guest", report.guest ? guest_to_json(*report.guest) : Json(nullptr)},
      {"source", report.source ? source_to_json(*report.source) : Json(nullptr)},
      {"memory_ranges", list(report.memory_ranges)},
      {"registers", list(report.registers)},
      {"files", list(report.files)},
      {"checkpoint", report.checkpoint ? describe(*report.checkpoint) : Json(nullptr)}};
  if (!report.kernels.empty()) document["kernels"] = list(report.kernels);
  if (!report.tags.empty()) document["tags"] = list(report.tags);
  document["warnings"] = sentences_to_json(report.warnings);
  document["problems"] = sentences_to_json(report.problems);
  out << dump(document, json_indent) << '\n';
}

}  // namespace photon_dmesg
