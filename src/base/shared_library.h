#pragma once

#include <string>

namespace photon_dmesg {

// A shared library that the program is not linked with, since few runs need it: loading librpm
// takes more instructions than reading a small log does. What it gives may be used until the
// process ends, so that it is never unloaded.
class SharedLibrary {
 public:
  // A function's address, as whichever kind of function it is used as. The kind comes from the
  // library's header:
  //   decltype(&::headerGet) headerGet = library.function("headerGet");
  class Address {
   public:
    template <typename Function>
    operator Function*() const {  // NOLINT(google-explicit-constructor): the point of it
      // What POSIX has dlsym for.
      return reinterpret_cast<Function*>(address_);
    }

   private:
    friend class SharedLibrary;
    explicit Address(void* address) : address_(address) {}
    void* address_;
  };

  // Loads the library `name`, which the loader looks for where it looks for those that programs are
  // linked with. Throws Error(UnusableInput) with the loader's reason if it can't.
  explicit SharedLibrary(std::string name);

  // Throws Error(UnusableInput) if neither the library nor one that it needs has such a function.
  [[nodiscard]] Address function(const char* name) const;

 private:
  std::string name_;
  void* handle_;
};

}  // namespace photon_dmesg
