#include "report/text_style.h"

#include <algorithm>

namespace photon_dmesg {
namespace {

bool has(const std::vector<TimeFormat>& formats, TimeFormat format) {
  return std::find(formats.begin(), formats.end(), format) != formats.end();
}

// `joined` in the place of `time`, without `delta`; if both are there.
bool join(std::vector<TimeFormat>& formats, TimeFormat delta, TimeFormat time, TimeFormat joined) {
  if (!has(formats, delta) || !has(formats, time)) return false;
  std::erase(formats, delta);
  std::replace(formats.begin(), formats.end(), time, joined);
  return true;
}

}  // namespace

std::vector<TimeFormat> combine(const std::vector<TimeFormat>& asked) {
  std::vector<TimeFormat> formats;
  for (const TimeFormat format : asked) {
    if (!has(formats, format)) formats.push_back(format);
  }
  if (formats.empty()) return {TimeFormat::SinceBoot};
  if (has(formats, TimeFormat::None)) {
    const bool delta = has(formats, TimeFormat::SinceBootDelta) || has(formats, TimeFormat::Delta);
    return {delta ? TimeFormat::Delta : TimeFormat::None};
  }
  join(formats, TimeFormat::SinceBootDelta, TimeFormat::Ctime, TimeFormat::CtimeDelta);
  if (!join(formats, TimeFormat::Delta, TimeFormat::SinceBoot, TimeFormat::SinceBootDelta)) {
    join(formats, TimeFormat::Delta, TimeFormat::Ctime, TimeFormat::CtimeDelta);
  }
  return formats;
}

}  // namespace photon_dmesg
