// Groups and tags of VMware's checkpoints, and what `info` prints of them.
#include "checkpoint/vmware/checkpoint.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "fuzz/input.h"
#include "fuzz/readable.h"
#include "report/info.h"
#include "support/memory_pages.h"

namespace photon_dmesg::fuzz {
namespace {

// What of it a user may take out.
void take_blocks(const ByteSource& file) {
  for (const auto read : {read_screenshot, read_configuration}) {
    try {
      (void)read(file);
    } catch (const Error&) {
      // It has none.
    }
  }
  (void)read_machine_name(file);
}

void describe(const ByteSource& file, Diagnostics& diagnostics) {
  InfoReport report;
  report.checkpoint = read_checkpoint_info(file, diagnostics);
  report.tags = list_tags(file, report.problems, diagnostics);
  for (const Vcpu& vcpu : report.checkpoint->vcpus)
    report.registers.emplace_back().registers = vcpu;
  std::ostringstream text;
  write_info_text(report, text);
  require(is_harmless(text.str()), "info's text steers no terminal");
  std::ostringstream json;
  write_info_json(report, json);
  const auto read = nlohmann::json::parse(json.str());
  require(report.tags.empty() || read.at("tags").size() == report.tags.size(),
          "info --tags lists every tag");
}

}  // namespace

void fuzz_checkpoint(Bytes bytes) {
  Input input(bytes);
  const std::size_t pages = input.byte() % 32;  // of a memory file beside it; 0: there is none
  const auto completeness =
      (input.byte() & 1) != 0 ? Completeness::NotRequired : Completeness::Required;
  const std::string memory = test::numbered_pages(pages);
  const auto file = std::make_shared<BufferSource>("/nowhere/vm.vmss", input.rest());
  SilentDiagnostics diagnostics;
  run_part([&] { describe(*file, diagnostics); });
  run_part([&] { take_blocks(*file); });
  std::shared_ptr<BufferSource> memory_file;
  if (pages > 0) {
    memory_file = std::make_shared<BufferSource>("/nowhere/vm.vmem", test::as_bytes(memory));
  }
  check_memory(open_checkpoint(file, memory_file, disk_tree(), completeness, diagnostics));
}

}  // namespace photon_dmesg::fuzz
