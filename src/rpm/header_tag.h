#pragma once

#include <rpm/rpmtag.h>
#include <rpm/rpmtd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

struct headerToken_s;

namespace photon_dmesg {

// A tag's values in a package's header, asked for by what they must be: a header may say of any tag
// that it is of any type, and librpm's own list of files (rpmfilesNew) believes that each is of its
// own.
class HeaderTag {
 public:
  // `header` must outlive this object.
  HeaderTag(headerToken_s* header, rpm_tag_t tag);

  // How many values there are; 0 without the tag.
  [[nodiscard]] std::size_t count() const;
  // One of them; nothing if there is none, or no number.
  [[nodiscard]] std::optional<std::uint64_t> number(std::size_t index = 0) const;
  // One of them; nothing if there is none, or no text.
  [[nodiscard]] std::optional<std::string> text(std::size_t index = 0) const;
  // The value as bytes, which live as long as this object; none without the tag or if it is of
  // another type.
  [[nodiscard]] std::span<const std::uint8_t> bytes() const;

 private:
  struct Free {
    void operator()(rpmtd_s* value) const;
  };

  [[nodiscard]] bool go_to(std::size_t index, rpmTagClass wanted) const;

  std::unique_ptr<rpmtd_s, Free> value_;
};

}  // namespace photon_dmesg
