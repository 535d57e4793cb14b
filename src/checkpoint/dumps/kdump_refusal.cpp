#include <fmt/format.h>

#include "base/error.h"
#include "checkpoint/dumps/kdump_file.h"

namespace photon_dmesg {

GuestState open_kdump_files(std::vector<std::shared_ptr<const ByteSource>> files, Diagnostics&) {
  throw unusable(
      fmt::format("{}: a kdump file, which this photon-dmesg can't read, as it was built without "
                  "libkdumpfile: use a build with it, or an ELF core (makedumpfile -E)",
                  files.front()->name()));
}

}  // namespace photon_dmesg
