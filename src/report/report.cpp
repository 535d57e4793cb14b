#include "report/report.h"

#include <filesystem>

namespace photon_dmesg {

std::optional<std::int64_t> time_of_day(const GuestInfo& guest, std::uint64_t ts_nsec) {
  return guest.clock ? guest.clock->time_of_day(ts_nsec) : std::nullopt;
}

std::string checkpoint_name(const SourceInfo& source) {
  return std::filesystem::path(source.checkpoint).filename().string();
}

}  // namespace photon_dmesg
