#include "kernel/symbols/provenance.h"

#include <catch2/catch.hpp>

namespace photon_dmesg::test {

TEST_CASE("provenance: described from the outside in, without what does not apply") {
  Provenance provenance;
  CHECK(describe(provenance).empty());
  provenance.vmlinux = "/usr/lib/debug/vmlinux";
  provenance.iso = "photon.iso";
  provenance.package = "RPMS/linux-debuginfo.rpm";
  CHECK(describe(provenance) == "photon.iso: RPMS/linux-debuginfo.rpm: /usr/lib/debug/vmlinux");
}

}  // namespace photon_dmesg::test
