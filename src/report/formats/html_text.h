#pragma once

#include <string>
#include <string_view>

namespace photon_dmesg {

// `text` for HTML and SVG, between tags and in quoted attributes: no byte of it is markup, and what
// printable() escapes is escaped.
[[nodiscard]] std::string html(std::string_view text);

}  // namespace photon_dmesg
