#pragma once

#include <array>
#include <ostream>
#include <string_view>

#include "report/json.h"
#include "report/report.h"
#include "report/text.h"

namespace photon_dmesg {

struct OutputFormat {
  std::string_view name;  // as --format takes it
  void (*write)(const Report&, std::ostream&);
  bool describes_guest = false;  // shows GuestInfo as well, so that all of it is needed
};

// Every format there is; the first is the default.
inline constexpr std::array output_formats = {
    OutputFormat{"text", write_text, false},
    OutputFormat{"json", write_json, true},
    OutputFormat{"ndjson", write_ndjson, false},
};

}  // namespace photon_dmesg
