#include "base/mapped_file.h"

#include <catch2/catch.hpp>

#include "support/bytes.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {

TEST_CASE("MappedFile: has the bytes of the file, even when that is replaced") {
  const TemporaryFolder folder;
  const MappedFile file(folder.write("file", "content"));
  std::filesystem::remove(folder.path() / "file");
  folder.write("file", "another");
  CHECK(as_text(file.bytes()) == "content");
}

TEST_CASE("MappedFile: what can't be mapped is refused by name") {
  const TemporaryFolder folder;
  folder.write("empty", "");
  for (const auto& path : {folder.path() / "none", folder.path() / "empty", folder.path()}) {
    check_fails(Failure::UnusableInput,
                path.string() + ": can't be opened: ", [&] { const MappedFile file(path); });
  }
}

}  // namespace photon_dmesg::test
