#pragma once

#include "kernel/printk/log_record.h"
#include "report/host_line.h"
#include "report/info.h"
#include "report/redactor.h"
#include "report/report.h"
#include "report/task_report.h"
#include "report/triage_report.h"

// Values without what tells of people and machines. The guest comes first, as its names may be in
// all the others.
namespace photon_dmesg {

// The guest's names are replaced in all that follows. Its boot_id is left out: formats that have
// one take no other text in its place.
void redact(Redactor& redactor, GuestInfo& guest);
void redact(Redactor& redactor, SourceInfo& source);
void redact(Redactor& redactor, LogRecord& record);
void redact(Redactor& redactor, UnloggedText& text);
void redact(Redactor& redactor, HostLine& line);
void redact(Redactor& redactor, std::vector<std::string>& sentences);
void redact(Redactor& redactor, TaskReport& report);
// Without the checkpoint's tags, which may hold anything.
void redact(Redactor& redactor, InfoReport& report);
// Without the picture of its screen, in which nothing can be replaced.
void redact(Redactor& redactor, TriageReport& report);

}  // namespace photon_dmesg
