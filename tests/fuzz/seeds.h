#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace photon_dmesg::fuzz {

// Takes one seed of a target.
using PutSeed =
    std::function<void(std::string_view target, const std::string& name, const std::string& bytes)>;

// The seeds that the tests' own writers make.
void make_guest_seeds(const PutSeed& put);   // what lies in a guest's memory
void make_file_seeds(const PutSeed& put);    // guests' files, packages, vmlinux
void make_option_seeds(const PutSeed& put);  // options and reports
void make_triage_seeds(const PutSeed& put);  // logs with something wrong in them

}  // namespace photon_dmesg::fuzz
