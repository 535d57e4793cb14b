#include "report/formats/html_text.h"

#include "base/printable.h"

namespace photon_dmesg {

std::string html(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char byte : printable(text)) {
    switch (byte) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += byte;
    }
  }
  return result;
}

}  // namespace photon_dmesg
