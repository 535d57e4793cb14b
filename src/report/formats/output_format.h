#pragma once

#include <array>
#include <memory>
#include <ostream>
#include <string_view>

#include "report/formats/dmesg_json.h"
#include "report/formats/ecs.h"
#include "report/formats/journal.h"
#include "report/formats/json.h"
#include "report/formats/kmsg.h"
#include "report/formats/otlp.h"
#include "report/formats/stream_frame.h"
#include "report/formats/syslog.h"
#include "report/formats/text.h"
#include "report/report.h"

namespace photon_dmesg {

// What a format does with the guest's clock.
enum class ClockUse {
  None,      // unless a style of text asks for it
  Shown,     // null where it can't be read
  Expected,  // its readers expect times: without the clock the output is incomplete
  Needed,    // there is no output without it
};

struct OutputFormat {
  std::string_view name;  // as --format takes it
  std::unique_ptr<ReportWriter> (*make)(const ReportContext&, std::ostream&);
  ClockUse clock = ClockUse::None;
  bool shows_unlogged = false;  // has a place for text that is no record
  bool takes_several = false;   // logs of several guests can follow each other in one output
  StreamFrame frame = {};       // of those
};

// Every format there is; the first is the default. docs/formats.md describes them.
inline constexpr std::array output_formats = {
    OutputFormat{"text", make_text_writer, ClockUse::None, true},
    OutputFormat{"json", make_json_writer, ClockUse::Shown, true},
    OutputFormat{"ndjson", make_ndjson_writer, ClockUse::Shown, true, true},
    OutputFormat{"dmesg-json", make_dmesg_json_writer, ClockUse::None, false},
    OutputFormat{"ecs", make_ecs_writer, ClockUse::Expected, true, true},
    OutputFormat{"otlp", make_otlp_writer, ClockUse::Expected, true, true, otlp_frame},
    OutputFormat{"journal-json", make_journal_json_writer, ClockUse::Expected, false, true},
    OutputFormat{"journal-export", make_journal_export_writer, ClockUse::Needed, false, true},
    OutputFormat{"syslog", make_syslog_writer, ClockUse::Expected, false, true},
    OutputFormat{"kmsg", make_kmsg_writer, ClockUse::None, false},
};

}  // namespace photon_dmesg
