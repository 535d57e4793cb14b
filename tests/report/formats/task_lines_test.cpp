#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "report/task_report.h"

namespace photon_dmesg::test {
namespace {

// Of a vCPU at an instruction that two functions deep is inlined, called by a function without
// lines.
TaskReport report_with(std::optional<LinesByAddress> lines) {
  TaskReport report;
  report.lines = std::move(lines);
  VcpuActivity& cpu = report.vcpus.emplace_back();
  Frame inner;
  inner.address = {0xffffffff81000105};
  inner.place = CodePlace{"schedule", 5, 16, ""};
  Frame outer;
  outer.address = {0xffffffff81000200};
  cpu.trace.frames = {inner, outer};
  cpu.trace.end = TraceEnd::Start;
  return report;
}

// Its call is at the byte in front of the address to which it returns.
const LinesByAddress lines_of_call = {
    {0xffffffff81000104, {{"prepare", "include/switch.h", 7}, {"schedule", "kernel/core.c", 0}}}};

template <typename Write>
std::string written(const TaskReport& report, Write write) {
  std::ostringstream out;
  write(report, out);
  return out.str();
}

}  // namespace

TEST_CASE("bt: lines stand below their frame, what is inlined first") {
  CHECK(written(report_with(lines_of_call), write_traces_text) ==
        "vCPU 0: task unknown, in the kernel\n"
        "  <TASK>\n"
        "   schedule+0x5/0x10\n"
        "      inlined: prepare at include/switch.h:7\n"
        "      kernel/core.c:?\n"
        "   0xffffffff81000200\n"
        "  </TASK>\n");
}

TEST_CASE("bt: JSON has the lines of every frame, if they were asked for") {
  const auto frames = [](const TaskReport& report) {
    return nlohmann::json::parse(written(report, write_traces_json))["vcpus"][0]["trace"]["frames"];
  };
  const auto with = frames(report_with(lines_of_call));
  CHECK(with[0]["lines"] ==
        nlohmann::json::parse(R"([{"function": "prepare", "file": "include/switch.h", "line": 7},
                                  {"function": "schedule", "file": "kernel/core.c", "line": null}])"));
  CHECK(with[1]["lines"] == nlohmann::json::array());
  CHECK_FALSE(frames(report_with(std::nullopt))[0].contains("lines"));
}

TEST_CASE("A frame is about its call, or about the instruction itself") {
  Frame frame;
  frame.address = {0x1000};
  CHECK(frame.instruction() == GuestVirtual{0xfff});
  for (const FrameKind kind : {FrameKind::Instruction, FrameKind::Interrupted}) {
    frame.kind = kind;
    CHECK(frame.instruction() == frame.address);
  }
}

}  // namespace photon_dmesg::test
