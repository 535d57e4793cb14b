#include "report/redaction.h"

#include <optional>
#include <string>

namespace photon_dmesg {
namespace {

// Everything that a value has of texts, one by one.
class Redaction {
 public:
  explicit Redaction(Redactor& redactor) : redactor_(redactor) {}

  void text(std::string& value) { value = redactor_.redact(value); }
  void text(std::optional<std::string>& value) {
    if (value) text(*value);
  }
  void texts(std::vector<std::string>& values) {
    for (std::string& value : values) text(value);
  }

  void finding(Finding& finding) {
    for (std::string* value : {&finding.summary, &finding.object, &finding.cause}) text(*value);
    if (finding.task) text(finding.task->comm);
    if (finding.blocker) text(finding.blocker->comm);
    for (auto* witnesses : {&finding.evidence, &finding.against}) {
      for (Witness& witness : *witnesses) {
        text(witness.what);
        text(witness.value);
      }
    }
    texts(finding.notes);
    for (AffectedTask& affected : finding.tasks) text(affected.name.comm);
    for (Finding& consequence : finding.consequences) this->finding(consequence);
  }

  void task(Task& task) { text(task.comm); }
  void task(std::optional<Task>& task) {
    if (task) text(task->comm);
  }

  void trace(Trace& trace) {
    for (Frame& frame : trace.frames) {
      if (!frame.place) continue;
      text(frame.place->symbol);
      text(frame.place->module);
    }
    text(trace.why);
  }

  void waiting(std::optional<Waiting>& waiting) {
    if (!waiting) return;
    text(waiting->wait.name);
    task(waiting->owner);
    for (Task& other : waiting->cycle) task(other);
  }

  void vcpu(VcpuActivity& vcpu) {
    task(vcpu.task);
    trace(vcpu.trace);
  }

  // All of the facts that reports print; rules have had the others.
  void facts(GuestFacts& facts) {
    for (VcpuActivity& vcpu : facts.vcpus) this->vcpu(vcpu);
    for (TaskActivity& activity : facts.tasks) {
      task(activity.task);
      trace(activity.trace);
      waiting(activity.waiting);
    }
  }

  void row(TaskReport::Row& row) {
    task(row.task);
    if (row.trace) trace(*row.trace);
    waiting(row.waiting);
    for (Task& other : row.folded) task(other);
  }

  void lines(LinesByAddress& lines) {
    for (auto& [address, found] : lines) {
      for (SourceLine& line : found) {
        text(line.function);
        text(line.file);
      }
    }
  }

  void cpu(InfoReport::Cpu& cpu) {
    task(cpu.task);
    if (cpu.place) text(cpu.place->name);
    texts(cpu.frames);
  }

 private:
  Redactor& redactor_;
};

}  // namespace

void redact(Redactor& redactor, GuestInfo& guest) {
  Redaction redaction(redactor);
  if (guest.identity.hostname) redactor.add_host(*guest.identity.hostname);
  if (guest.vm_name) redactor.add_machine(*guest.vm_name);
  redaction.text(guest.identity.hostname);
  if (guest.vm_name) {
    const std::string known = redactor.redact(*guest.vm_name);
    const bool is_known = known != *guest.vm_name;
    guest.vm_name = is_known ? known : redactor.placeholder(PrivateKind::Host, known);
  }
  guest.identity.boot_id.reset();
  redaction.text(guest.banner);
}

void redact(Redactor& redactor, SourceInfo& source) {
  Redaction redaction(redactor);
  redaction.text(source.checkpoint);
  redaction.text(source.memory);
  Provenance& symbols = source.symbols;
  for (auto* path : {&symbols.iso, &symbols.package, &symbols.vmlinux, &symbols.system_map,
                     &symbols.boot_image, &symbols.profile, &symbols.memory}) {
    redaction.text(*path);
  }
}

void redact(Redactor& redactor, LogRecord& record) {
  record.text = redactor.redact(record.text);
  for (auto& [key, value] : record.dictionary) value = redactor.redact(value);
}

void redact(Redactor& redactor, UnloggedText& text) {
  text.text = redactor.redact(text.text);
}

void redact(Redactor& redactor, HostLine& line) {
  line.file = redactor.redact(line.file);
  line.text = redactor.redact(line.text);
}

void redact(Redactor& redactor, std::vector<std::string>& sentences) {
  Redaction(redactor).texts(sentences);
}

void redact(Redactor& redactor, TaskReport& report) {
  Redaction redaction(redactor);
  redact(redactor, report.guest);
  redact(redactor, report.source);
  for (VcpuActivity& vcpu : report.vcpus) redaction.vcpu(vcpu);
  for (TaskReport::Row& row : report.tasks) redaction.row(row);
  if (report.lines) redaction.lines(*report.lines);
  redaction.texts(report.warnings);
}

void redact(Redactor& redactor, InfoReport& report) {
  Redaction redaction(redactor);
  if (report.guest) redact(redactor, *report.guest);
  if (report.source) redact(redactor, *report.source);
  for (InfoReport::File& file : report.files) redaction.text(file.path);
  for (InfoReport::Kernel& kernel : report.kernels) redaction.text(kernel.package);
  for (InfoReport::Cpu& cpu : report.registers) redaction.cpu(cpu);
  report.tags.clear();
  redaction.texts(report.warnings);
  redaction.texts(report.problems);
}

void redact(Redactor& redactor, TriageReport& report) {
  Redaction redaction(redactor);
  if (report.guest) redact(redactor, *report.guest);
  if (report.source) redact(redactor, *report.source);
  for (Finding& finding : report.verdict.findings) redaction.finding(finding);
  redaction.texts(report.verdict.circumstances);
  redaction.facts(report.facts);
  redaction.texts(report.read_from);
  redaction.texts(report.not_read);
  redaction.texts(report.modules);
  redaction.text(report.log.last_text);
  for (auto* records : {&report.log.newest, &report.log.told}) {
    for (LogRecord& record : *records) redact(redactor, record);
  }
  for (TriageReport::Input& input : report.inputs) redaction.text(input.path);
  report.screenshot.reset();
  redaction.texts(report.warnings);
}

}  // namespace photon_dmesg
