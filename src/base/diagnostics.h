#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace photon_dmesg {

// One thing that was found out, and why it is believed. Each part is a phrase, and only `what` is
// always there; whoever shows it to a person makes a sentence of them.
struct Evidence {
  std::string what;     // "KASLR offset"
  std::string value{};  // "0x1c00000"
  std::string where{};  // what it was found in: a file, "vCPU 0", "VMCOREINFO"
  std::string how{};    // "the banner is at ... in the guest, linux_banner at ... in vmlinux"
};

// How far a long piece of work has come.
struct Progress {
  std::string_view what;    // "reading vmlinux"
  std::uint64_t done = 0;   // bytes
  std::uint64_t total = 0;  // bytes; 0: not known
};

// What the work tells whoever asked for it, beside its result. The caller implements it: a
// terminal (cli/io/terminal_diagnostics.h), a collection, nothing at all.
class Diagnostics {
 public:
  Diagnostics() = default;
  virtual ~Diagnostics() = default;
  Diagnostics(const Diagnostics&) = delete;
  Diagnostics& operator=(const Diagnostics&) = delete;

  // Something the user must know to trust or to complete what is printed: one sentence.
  virtual void warn(std::string message) = 0;

  // As warn(), where the result is less than what was given could have made it: an input that was
  // not used, memory that is missing.
  virtual void warn_of_lack(std::string message) { warn(std::move(message)); }

  virtual void found(Evidence evidence) = 0;

  // Called often; it is for the implementation to show only some.
  virtual void progress(const Progress& progress) = 0;
};

// Keeps what is said.
class CollectedDiagnostics : public Diagnostics {
 public:
  void warn(std::string message) override { warnings_.push_back(std::move(message)); }
  void found(Evidence evidence) override { evidence_.push_back(std::move(evidence)); }
  void progress(const Progress&) override {}

  // In order.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
  [[nodiscard]] const std::vector<Evidence>& evidence() const { return evidence_; }

 private:
  std::vector<std::string> warnings_;
  std::vector<Evidence> evidence_;
};

// For who only wants the result.
class SilentDiagnostics final : public Diagnostics {
 public:
  void warn(std::string) override {}
  void found(Evidence) override {}
  void progress(const Progress&) override {}
};

}  // namespace photon_dmesg
