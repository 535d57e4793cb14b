#include "report/formats/timeline_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "report/formats/html_text.h"

// Places along the axis are percentages and all else is pixels, so that the picture is as wide as
// the page and its words stay as large as they are.
namespace photon_dmesg {
namespace {

constexpr double whole = 100;    // percent
constexpr int bars_height = 48;  // of the log's records
constexpr int lane_height = 26;  // of one row of events
constexpr int axis_height = 26;  // of the numbers below
constexpr int radius = 11;       // of an event
constexpr double least_gap = 8;  // percent between events in a row: they don't touch at 320 px
constexpr std::size_t most_lanes = 8;

class Picture {
 public:
  Picture(const Timeline& timeline, const std::vector<std::uint64_t>& density, std::ostream& out)
      : timeline_(timeline), density_(density), out_(out) {
    for (const Timeline::Event& event : timeline.events) lanes_.push_back(choose_lane(event));
    const std::size_t lanes = 1 + *std::max_element(lanes_.begin(), lanes_.end());
    axis_ = bars_height + static_cast<int>(lanes) * lane_height;
  }

  void write() {
    out_ << fmt::format(
        "<svg class=\"timeline\" role=\"img\" aria-label=\"What happened when: the list below "
        "has the same numbers\" width=\"100%\" height=\"{}\">\n",
        axis_ + axis_height);
    write_silence();
    write_bars();
    write_axis();
    for (std::size_t i = 0; i < timeline_.events.size(); ++i) write_event(i);
    out_ << "</svg>\n";
  }

 private:
  [[nodiscard]] double percent(std::uint64_t nsec) const {
    const std::uint64_t within = std::clamp(nsec, timeline_.begin_nsec, timeline_.end_nsec);
    const std::uint64_t length =
        std::max<std::uint64_t>(1, timeline_.end_nsec - timeline_.begin_nsec);
    return whole * static_cast<double>(within - timeline_.begin_nsec) / static_cast<double>(length);
  }

  // The first row in which no event is too near; if there is none, the one with the oldest.
  std::size_t choose_lane(const Timeline::Event& event) {
    const double at = percent(event.nsec);
    for (std::size_t lane = 0; lane < most_lanes; ++lane) {
      if (at - last_in_lane_.at(lane) < least_gap) continue;
      last_in_lane_.at(lane) = at;
      return lane;
    }
    auto* const oldest = std::min_element(last_in_lane_.begin(), last_in_lane_.end());
    *oldest = at;
    return static_cast<std::size_t>(oldest - last_in_lane_.begin());
  }

  void write_silence() {
    if (!timeline_.silent_since_nsec) return;
    const double from = percent(*timeline_.silent_since_nsec);
    out_ << fmt::format(
        "<rect class=\"silence\" x=\"{:.2f}%\" y=\"0\" width=\"{:.2f}%\" height=\"{}\">"
        "<title>no message</title></rect>\n",
        from, whole - from, axis_);
  }

  // Records in each part, by the logarithm: a boot logs hundreds, a lockup one.
  void write_bars() {
    if (density_.empty()) return;
    const std::uint64_t most = *std::max_element(density_.begin(), density_.end());
    const double scale = std::log1p(static_cast<double>(std::max<std::uint64_t>(1, most)));
    for (std::size_t i = 0; i < density_.size(); ++i) {
      const double from = percent(begin_of_part(i));
      const double width = percent(begin_of_part(i + 1)) - from;
      if (density_[i] == 0 || width <= 0) continue;
      const double height = bars_height * std::log1p(static_cast<double>(density_[i])) / scale;
      out_ << fmt::format(
          "<rect class=\"records\" x=\"{:.2f}%\" y=\"{:.1f}\" width=\"{:.2f}%\" height=\"{:.1f}\">"
          "<title>{} records</title></rect>\n",
          from, bars_height - height, width, height, density_[i]);
    }
  }

  [[nodiscard]] std::uint64_t begin_of_part(std::size_t part) const {
    const double share = static_cast<double>(part) / static_cast<double>(density_.size());
    return static_cast<std::uint64_t>(share * static_cast<double>(timeline_.end_nsec));
  }

  void write_axis() {
    constexpr int ticks = 4;
    constexpr int below = 18;
    out_ << fmt::format(R"(<line class="axis" x1="0" x2="100%" y1="{0}" y2="{0}"/>)", axis_)
         << '\n';
    const std::uint64_t length = timeline_.end_nsec - timeline_.begin_nsec;
    for (int i = 0; i <= ticks; ++i) {
      const std::uint64_t nsec =
          timeline_.begin_nsec + length / ticks * static_cast<std::uint64_t>(i);
      const char* anchor = i == 0 ? "start" : i == ticks ? "end" : "middle";
      out_ << fmt::format(
          "<text class=\"tick\" x=\"{}%\" y=\"{}\" text-anchor=\"{}\">{:.{}f} s</text>\n",
          i * (100 / ticks), axis_ + below, anchor, static_cast<double>(nsec) / 1e9,
          length < 60'000'000'000 ? 1 : 0);
    }
  }

  void write_event(std::size_t index) {
    constexpr int baseline = 4;
    const Timeline::Event& event = timeline_.events[index];
    const double at = percent(event.nsec);
    // A circle at an end of the axis stays inside the picture.
    const int shift = at < whole / 2 ? static_cast<int>(radius * (1 - at / whole * 2))
                                     : -static_cast<int>(radius * (at / whole * 2 - 1));
    const int y = bars_height + static_cast<int>(lanes_[index]) * lane_height + lane_height / 2;
    out_ << fmt::format(
        "<g class=\"{0}\"><title>{1}: {2}</title>"
        "<line x1=\"{3:.2f}%\" x2=\"{3:.2f}%\" y1=\"{4}\" y2=\"{5}\"/>"
        "<g transform=\"translate({6})\"><circle cx=\"{3:.2f}%\" cy=\"{4}\" r=\"{7}\"/>"
        "<text x=\"{3:.2f}%\" y=\"{8}\" text-anchor=\"middle\">{9}</text></g></g>\n",
        class_of(event.kind), exact_seconds(event.nsec), html(event.what), at, y, axis_, shift,
        radius, y + baseline, index + 1);
  }

  static const char* class_of(Timeline::Kind kind) {
    switch (kind) {
      case Timeline::Kind::Finding:
        return "event finding";
      case Timeline::Kind::Consequence:
        return "event consequence";
      case Timeline::Kind::Record:
      case Timeline::Kind::LastMessage:
        return "event record";
      case Timeline::Kind::Stop:
        break;
    }
    return "event stop";
  }

  const Timeline& timeline_;
  const std::vector<std::uint64_t>& density_;
  std::ostream& out_;
  std::array<double, most_lanes> last_in_lane_ = {-whole, -whole, -whole, -whole,
                                                  -whole, -whole, -whole, -whole};
  std::vector<std::size_t> lanes_;  // of the events
  int axis_ = 0;
};

}  // namespace

void write_timeline_svg(const Timeline& timeline, const std::vector<std::uint64_t>& density,
                        std::ostream& out) {
  if (timeline.events.empty()) return;
  Picture(timeline, density, out).write();
}

}  // namespace photon_dmesg
