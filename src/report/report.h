#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernel/facts/guest_identity.h"
#include "kernel/printk/log_record.h"
#include "kernel/symbols/provenance.h"
#include "report/clock_history.h"
#include "report/text_style.h"

namespace photon_dmesg {

// The guest as far as it is known.
struct GuestInfo {
  std::string release;
  std::string banner;
  std::optional<std::string> build_id;  // lower-case hexadecimal, from guest memory
  std::uint64_t kaslr_offset = 0;
  std::string architecture;       // as `uname -m`
  std::string place_variable;     // "phys_base", "kimage_voffset": where its image is, by the
  std::uint64_t image_place = 0;  // kernel's variable of that name
  std::uint64_t vcpus = 0;
  std::uint64_t memory_bytes = 0;
  std::optional<ClockHistory> clock;   // the guest's own
  GuestIdentity identity;              // what its kernel calls it
  std::optional<std::string> vm_name;  // what VMware calls it
};

// What the report was made from.
struct SourceInfo {
  std::string checkpoint;
  std::string memory;
  Provenance symbols;
};

// What an output format may print beside the log itself: all that is known before the first record.
struct ReportContext {
  GuestInfo guest;
  SourceInfo source;
  LogPositions positions;
  TextStyle style;        // of text
  std::string generator;  // "photon-dmesg 1.2.3"
  // Whether anything is known but what the guest sent to its host; else all of the above but
  // `style` and `generator` says nothing.
  bool knows_guest = true;
  // Whether logs of other guests stand in the same output, so that each record must say whose it
  // is.
  bool is_one_of_several = false;
};

// When a record was logged by the guest's clock, nanoseconds since 1970, UTC; nothing if that can't
// be told.
[[nodiscard]] std::optional<std::int64_t> time_of_day(const GuestInfo& guest,
                                                      std::uint64_t ts_nsec);

// The checkpoint's file name, without folders.
[[nodiscard]] std::string checkpoint_name(const SourceInfo& source);

}  // namespace photon_dmesg
