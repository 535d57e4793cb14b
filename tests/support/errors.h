#pragma once

#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/error.h"

namespace photon_dmesg::test {

// The Error that `work` ends with; the test fails if it ends with none.
template <typename Work>
Error error_of(Work&& work) {
  try {
    std::forward<Work>(work)();
  } catch (const Error& error) {
    return error;
  }
  throw std::logic_error("expected an Error, found none");
}

// Checks that `work` ends with an Error of that kind whose message contains `part`.
template <typename Work>
void check_fails(Failure failure, const std::string& part, Work&& work) {
  const Error error = error_of(std::forward<Work>(work));
  CHECK_THAT(error.what(), Catch::Contains(part));
  CHECK(error.failure() == failure);
}

}  // namespace photon_dmesg::test
