#pragma once

#include <filesystem>
#include <string>

#include "support/checkpoint_builder.h"
#include "support/fixture_guest.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {

// The files that the owner of a fixture's guest would have.
struct GuestOnDisk {
  std::filesystem::path checkpoint;
  std::filesystem::path memory;
};

// The tags of the group `cpu` for a guest's only vCPU.
inline std::string vcpu_tags(const Vcpu& vcpu) {
  return inline_tag("cpu:numVCPUs", {}, 1) + inline_tag("rip", {0}, vcpu.x86.rip->value, 8) +
         inline_tag("CR64", {0, 0}, *vcpu.x86.cr[0], 8) +
         inline_tag("CR64", {0, 3}, *vcpu.x86.cr[3], 8) +
         inline_tag("CR64", {0, 4}, *vcpu.x86.cr[4], 8);
}

inline GuestOnDisk write_guest(const TemporaryFolder& folder, const std::string& name,
                               FixtureGuest& guest) {
  const PhysicalRange& ram = guest.memory().ranges().front();
  std::string memory(ram.size, '\0');
  (void)guest.memory().read(ram.begin, std::as_writable_bytes(std::span(memory)));
  const std::string cpu = vcpu_tags(guest.vcpu());
  return {folder.write(name + ".vmss", checkpoint_file({{"cpu", cpu}, {"memory", ""}})),
          folder.write(name + ".vmem", memory)};
}

}  // namespace photon_dmesg::test
