// Packages: header, files, payload; and cpio archives by themselves.
#include "fuzz/input.h"
#include "fuzz/readable.h"
#include "rpm/cpio_reader.h"
#include "rpm/kernel_files.h"
#include "rpm/rpm_package.h"
#include "support/short_stream.h"

namespace photon_dmesg::fuzz {
namespace {

constexpr std::uint64_t most_bytes = std::uint64_t{4} << 20;

std::vector<RpmPackage::File> some_files() {
  RpmPackage::File folder;
  folder.path = "/usr/lib/debug";
  RpmPackage::File vmlinux;
  vmlinux.path = "/usr/lib/debug/vmlinux";
  vmlinux.size = 7;
  vmlinux.regular_file = true;
  return {folder, vmlinux};
}

void read_archive(const std::string& archive) {
  test::ShortStream stream(archive, 100);
  const std::vector<RpmPackage::File> files = some_files();
  CpioReader reader(stream, files);
  while (const auto member = reader.next_member()) {
    std::uint64_t read = 0;
    for (Bytes part = reader.next_data(); !part.empty(); part = reader.next_data()) {
      read += part.size();
    }
    require(read == member->size, "a member has as many bytes as it says");
  }
}

// Without anybody's keys.
const Keyring& keyring() {
  static const Keyring none;
  return none;
}

void read_package(const std::string& bytes) {
  (void)is_rpm_package(BufferSource("linux.rpm", test::as_bytes(bytes)));
  (void)lead_name(BufferSource("linux.rpm", test::as_bytes(bytes)));
  RpmPackage package(std::make_unique<test::ShortStream>(bytes), keyring(),
                     [](const std::string& /*mismatch*/) {});
  if (const auto file = find_kernel_file(package.files())) {
    run_part([&] {
      const auto content = package.open(file->file);
      std::uint64_t read = 0;
      for (Bytes part = content->next(); !part.empty() && read < most_bytes;
           part = content->next()) {
        read += part.size();
      }
    });
  }
  package.verify_payload();
}

}  // namespace

void fuzz_rpm(Bytes bytes) {
  Input input(bytes);
  const bool is_archive = (input.byte() & 1) != 0;
  const std::string content = Input::as_string(input.rest());
  if (is_archive) {
    read_archive(content);
  } else {
    read_package(content);
  }
}

}  // namespace photon_dmesg::fuzz
