#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/byte_stream.h"

namespace photon_dmesg {

// Whether `source` begins with the lead of an RPM package (magic ED AB EE DB).
[[nodiscard]] bool is_rpm_package(const ByteSource& source);

// One RPM package that comes as a stream: its header through librpm, then its payload member by
// member. Nothing is written to disk, and what isn't asked for isn't kept.
class RpmPackage {
 public:
  struct File {
    std::string path;           // absolute, as installed
    std::uint64_t size = 0;     // bytes
    std::string digest;         // hexadecimal; empty if the package has none for it
    int digest_algorithm = 0;   // PGPHASHALGO_*
    bool regular_file = false;  // neither folder nor symbolic link
  };

  // Reads lead, signature and header and checks the header's own digest. Throws
  // Error(UnusableInput) when one of them is damaged. No signature is verified: the user vouches
  // for the package.
  explicit RpmPackage(std::unique_ptr<ByteStream> stream);
  ~RpmPackage();

  // NAME-VERSION-RELEASE.ARCH
  [[nodiscard]] const std::string& label() const { return label_; }
  // SHA-256 of the header, which holds the digests of all files: it stands for the package.
  [[nodiscard]] const std::string& header_digest() const { return header_digest_; }
  [[nodiscard]] const std::string& compressor() const { return compressor_; }
  [[nodiscard]] const std::vector<File>& files() const { return files_; }
  // What messages call the package.
  [[nodiscard]] const std::string& name() const;

  // The content of `file`, a regular file of files(). Passes over the payload up to it, so a
  // package gives one file only, and the stream must not outlive the package. The stream throws
  // Error(UnusableInput) at its end if the content does not have the size and digest that the
  // header gives, and wherever the payload is damaged.
  [[nodiscard]] std::unique_ptr<ByteStream> open(const File& file);

 private:
  class Input;

  std::unique_ptr<Input> input_;
  std::string label_;
  std::string header_digest_;
  std::string compressor_;
  std::vector<File> files_;
};

}  // namespace photon_dmesg
