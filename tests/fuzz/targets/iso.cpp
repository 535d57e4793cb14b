// What is done with libarchive's reading of an ISO image, and with the names in it.
#include "fuzz/input.h"
#include "iso/iso_image.h"
#include "iso/kernel_packages.h"
#include "support/short_stream.h"

namespace photon_dmesg::fuzz {

// Images begin with 32 KiB that mean nothing, which inputs are without.
void fuzz_iso(Bytes bytes) {
  constexpr std::size_t system_area = 32768;
  constexpr std::size_t most_files = 64;
  constexpr std::uint64_t most_bytes = std::uint64_t{1} << 20;
  const std::string image = std::string(system_area, '\0') + Input::as_string(bytes);
  (void)is_iso_image(BufferSource("photon.iso", test::as_bytes(image)));
  test::ShortStream stream(image);
  std::size_t files = 0;
  IsoImage::for_each_file(stream, [&](const IsoImage::File& file, ByteStream& content) {
    (void)is_kernel_debuginfo_package(file.path);
    (void)is_kernel_package(file.path);
    (void)is_package_of_release(file.path, "4.19.325-1.ph3-esx");
    std::uint64_t read = 0;
    for (Bytes part = content.next(); !part.empty() && read < most_bytes; part = content.next()) {
      read += part.size();
    }
    require(read <= file.size, "a file has no more bytes than it is listed with");
    return ++files < most_files;
  });
}

}  // namespace photon_dmesg::fuzz
