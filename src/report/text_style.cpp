#include "report/text_style.h"

#include <algorithm>

namespace photon_dmesg {
namespace {

bool has(const std::vector<TimeFormat>& formats, TimeFormat format) {
  return std::find(formats.begin(), formats.end(), format) != formats.end();
}

// A difference joins `time`, as `joined`, if both are there.
bool join(std::vector<TimeFormat>& formats, TimeFormat time, TimeFormat joined) {
  if (!has(formats, TimeFormat::Delta) || !has(formats, time)) return false;
  std::erase(formats, TimeFormat::Delta);
  std::replace(formats.begin(), formats.end(), time, joined);
  return true;
}

}  // namespace

std::vector<TimeFormat> combine(const std::vector<TimeFormat>& asked, bool show_delta) {
  std::vector<TimeFormat> formats;
  for (const TimeFormat format : asked) {
    if (!has(formats, format)) formats.push_back(format);
  }
  if (formats.empty()) formats.push_back(TimeFormat::SinceBoot);
  if (show_delta && !has(formats, TimeFormat::Delta)) formats.push_back(TimeFormat::Delta);
  if (has(formats, TimeFormat::None)) {
    return {has(formats, TimeFormat::Delta) ? TimeFormat::Delta : TimeFormat::None};
  }
  if (!join(formats, TimeFormat::SinceBoot, TimeFormat::SinceBootDelta)) {
    join(formats, TimeFormat::Ctime, TimeFormat::CtimeDelta);
  }
  return formats;
}

}  // namespace photon_dmesg
