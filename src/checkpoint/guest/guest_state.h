#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "checkpoint/guest/guest_memory.h"
#include "checkpoint/guest/vcpu.h"

namespace photon_dmesg {

// Whether all of a guest's memory must be there.
enum class Completeness { Required, NotRequired };

// A stopped guest as its files describe it: what the reader of each file format makes, and all that
// anything above knows of formats.
struct GuestState {
  std::string path;         // the file that describes the guest
  std::string memory_path;  // the file that holds its memory, which may be the same

  std::vector<std::shared_ptr<const ByteSource>> files;  // that `memory` reads from
  std::unique_ptr<GuestMemory> memory;
  std::vector<Vcpu> vcpus;  // empty: the format holds none

  // What the kernel said of itself for the dump, where the format carries it.
  std::optional<std::string> vmcoreinfo;

  // What the guest had of memory and the file has not: it was cut short.
  std::vector<PhysicalRange> missing;

  // A file of bare memory does not say where in the guest it lies. Other ways than `memory` to read
  // it: the right one is that in which there is a kernel.
  std::vector<std::unique_ptr<GuestMemory>> other_readings;

  // Nor does it say of which kind the machine is, on which it depends where its RAM begins: how to
  // read it if there is no kernel in it otherwise.
  std::vector<std::unique_ptr<GuestMemory>> other_bases;
};

}  // namespace photon_dmesg
