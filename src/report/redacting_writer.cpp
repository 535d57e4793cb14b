#include "report/redacting_writer.h"

#include "report/redaction.h"

namespace photon_dmesg {

void RedactingWriter::write(const LogRecord& record, std::uint64_t previous_usec) {
  LogRecord redacted = record;
  redact(redactor_, redacted);
  writer_->write(redacted, previous_usec);
}

void RedactingWriter::write(const UnloggedText& text) {
  UnloggedText redacted = text;
  redact(redactor_, redacted);
  writer_->write(redacted);
}

void RedactingWriter::write(const HostLine& line) {
  HostLine redacted = line;
  redact(redactor_, redacted);
  writer_->write(redacted);
}

void RedactingWriter::finish(const std::vector<std::string>& warnings) {
  std::vector<std::string> redacted = warnings;
  redact(redactor_, redacted);
  writer_->finish(redacted);
}

}  // namespace photon_dmesg
