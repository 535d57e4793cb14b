#include "base/shared_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "base/error.h"

namespace photon_dmesg {
namespace {

// The loader's reason, without the name that most begin with.
std::string loader_reason(const std::string& name) {
  const char* text = ::dlerror();
  std::string_view reason = text == nullptr ? "for no reason that is known" : text;
  const std::string begin = name + ": ";
  if (reason.starts_with(begin)) reason.remove_prefix(begin.size());
  return std::string(reason);
}

}  // namespace

SharedLibrary::SharedLibrary(std::string name)
    // All of its references at once: what can't be resolved is an Error here, and no end later.
    : name_(std::move(name)), handle_(::dlopen(name_.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) {
    throw unusable(
        fmt::format("{}: can't be loaded: {} (install it, or use the bundle, which has it)", name_,
                    loader_reason(name_)));
  }
}

SharedLibrary::Address SharedLibrary::function(const char* name) const {
  void* const address = ::dlsym(handle_, name);
  if (address == nullptr) {
    throw unusable(
        fmt::format("{}: expected the function {}, found a library without it", name_, name));
  }
  return Address(address);
}

}  // namespace photon_dmesg
