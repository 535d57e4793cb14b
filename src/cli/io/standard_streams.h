#pragma once

#include <string_view>

namespace photon_dmesg {

// Has descriptors 0 to 2 be taken, so that no file that is opened later becomes one of them: what
// is said on a closed stderr then goes nowhere, and using a closed stdin or stdout fails as before.
// To be called before anything is opened.
void keep_standard_descriptors();

// Writes `text` to stderr. What can't be said there is lost: a message nobody can read must not end
// the work that it is about.
void say(std::string_view text);

// Has what is said from now on not go where stderr leads: to stdout if that is a terminal, else
// nowhere.
void leave_standard_error();

// Writes `text` to stdout, whose reader may stop reading. Throws Error(Incomplete) when it can't be
// written.
void print(std::string_view text);

// Whether `error`, of write_all(), says that whoever reads the output wants no more of it.
[[nodiscard]] bool is_reader_gone(int error);

}  // namespace photon_dmesg
