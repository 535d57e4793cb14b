#pragma once

#include <memory>
#include <string>
#include <vector>

#include "report/redactor.h"
#include "report/report_writer.h"

namespace photon_dmesg {

// Hands on to another writer what it gets, redacted: so that no format has to know of it.
class RedactingWriter final : public ReportWriter {
 public:
  // `redactor` must outlive this.
  RedactingWriter(std::unique_ptr<ReportWriter> writer, Redactor& redactor)
      : writer_(std::move(writer)), redactor_(redactor) {}

  void write(const LogRecord& record, std::uint64_t previous_usec) override;
  void write(const UnloggedText& text) override;
  void write(const HostLine& line) override;
  void leave_gap() override { writer_->leave_gap(); }
  [[nodiscard]] std::vector<std::string> losses() const override { return writer_->losses(); }
  void finish(const std::vector<std::string>& warnings) override;

 private:
  std::unique_ptr<ReportWriter> writer_;
  Redactor& redactor_;
};

}  // namespace photon_dmesg
