#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace photon_dmesg {

// Why something could not be done.
enum class Failure {
  Incomplete,     // not all of it could be written
  Usage,          // what was asked for makes no sense
  UnusableInput,  // a file is damaged, missing or not what it should be
  Mismatch,       // files that don't belong together
};

// The one exception type of this program: thrown where a fault is found, given context on its way
// up, printed once by main as a single line. A damaged log record is not an Error but data.
class Error : public std::exception {
 public:
  Error(Failure failure, std::string message) : failure_(failure), message_(std::move(message)) {}

  // Puts "context: " in front of the message, so that the line reads from the file inwards.
  void add_context(std::string_view context);

  [[nodiscard]] Failure failure() const { return failure_; }
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
  Failure failure_;
  std::string message_;
};

// Shorthand for the most frequent case: the bytes of an input are not what they should be.
[[nodiscard]] Error unusable(std::string message);

// Runs `work` and returns its result; an Error that leaves it gets `context` in front.
template <typename Work>
decltype(auto) with_context(std::string_view context, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (Error& error) {
    error.add_context(context);
    throw;
  }
}

}  // namespace photon_dmesg
