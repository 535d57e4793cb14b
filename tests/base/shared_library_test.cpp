#include "base/shared_library.h"

#include <dlfcn.h>

#include <catch2/catch.hpp>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

constexpr const char* mathematics = "libm.so.6";

}  // namespace

TEST_CASE("SharedLibrary: its functions can be called as the header declares them") {
  const SharedLibrary library(mathematics);
  double (*const root)(double) = library.function("sqrt");
  CHECK(root(9.0) == 3.0);
}

TEST_CASE("SharedLibrary: functions of what it needs itself are found too") {
  int (*const length)(int) = SharedLibrary(mathematics).function("abs");  // the C library's
  CHECK(length(-3) == 3);
}

TEST_CASE("SharedLibrary: what it gave can be used when it is gone") {
  // The C library has it, and nothing here is linked with it.
  const char* rarely_used = "libBrokenLocale.so.1";
  std::size_t (*longest_character)() = nullptr;
  {
    const SharedLibrary library(rarely_used);
    longest_character = library.function("__ctype_get_mb_cur_max");
  }
  REQUIRE(dlopen(rarely_used, RTLD_LAZY | RTLD_NOLOAD) != nullptr);
  CHECK(longest_character() == 1);
}

TEST_CASE("SharedLibrary: one that is missing is named, with the loader's reason") {
  check_fails(Failure::UnusableInput,
              "libabsent.so.1: can't be loaded: cannot open shared object file: No such file",
              [] { const SharedLibrary library("libabsent.so.1"); });
}

TEST_CASE("SharedLibrary: what to do about one that is missing is said") {
  check_fails(Failure::UnusableInput, "(install it, or use the bundle, which has it)",
              [] { const SharedLibrary library("libabsent.so.1"); });
}

TEST_CASE("SharedLibrary: a file that is no library, or a part of one, is refused by name") {
  const TemporaryFolder folder;
  const std::string text = folder.write("text.so", std::string(4096, 'a'));
  check_fails(Failure::UnusableInput, text + ": can't be loaded: invalid ELF header",
              [&] { const SharedLibrary library(text); });
  const std::string cut = folder.write("cut.so",
                                       "\x7f"
                                       "ELF\x02\x01\x01");
  check_fails(Failure::UnusableInput, cut + ": can't be loaded: file too short",
              [&] { const SharedLibrary library(cut); });
}

TEST_CASE("SharedLibrary: a function that it does not have is named") {
  const SharedLibrary library(mathematics);
  check_fails(Failure::UnusableInput, "libm.so.6: expected the function root_of_nothing, found",
              [&] { (void)library.function("root_of_nothing"); });
}

}  // namespace photon_dmesg::test
