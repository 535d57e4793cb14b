#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/byte_stream.h"
#include "base/prefetch_stream.h"
#include "base/stream_reader.h"
#include "rpm/keyring.h"
#include "rpm/package_checks.h"

namespace photon_dmesg {

class CpioReader;

// Whether `source` begins with the lead of an RPM package (magic ED AB EE DB).
[[nodiscard]] bool is_rpm_package(const ByteSource& source);

// The name that the lead of the package `source` has for it, NAME-VERSION-RELEASE; empty if it has
// none, as leads may be left empty since RPM 6.
[[nodiscard]] std::string lead_name(const ByteSource& source);

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
    bool symbolic_link = false;
    // Of several names of one file (hard links), the content comes with the last: that one's number
    // in files(). Absent for the last, and for what has one name.
    std::optional<std::size_t> last_name{};
  };

  // Called with each digest, signature or size that does not fit; returns only if the package is to
  // be used all the same.
  using OnMismatch = std::function<void(const std::string& mismatch)>;

  // Reads lead, signature and header and checks what proves the header (see package_checks.h).
  // Throws Error(UnusableInput) when one of them is damaged. `keyring` must outlive the package.
  RpmPackage(std::unique_ptr<ByteStream> stream, const Keyring& keyring, OnMismatch on_mismatch);
  ~RpmPackage();

  // NAME-VERSION-RELEASE.ARCH
  [[nodiscard]] const std::string& label() const { return label_; }
  // SHA-256 of the header, which holds the digests of all files: it stands for the package.
  [[nodiscard]] const std::string& header_digest() const { return header_digest_; }
  // When it was built, in seconds since 1970; 0 if it does not say.
  [[nodiscard]] std::int64_t build_time() const { return build_time_; }
  [[nodiscard]] const std::string& compressor() const { return compressor_; }
  [[nodiscard]] const std::vector<File>& files() const { return files_; }
  // What messages call the package.
  [[nodiscard]] const std::string& name() const { return stream_->name(); }

  // The content of `file`, a regular file of files(). Passes over the payload up to it, so a
  // package gives one file only, and the stream must not outlive the package. The stream throws
  // Error(UnusableInput) wherever the payload is damaged, this function if its format is not known.
  // If nothing proves the payload, the file's own digest is checked at the end of the stream.
  [[nodiscard]] std::unique_ptr<ByteStream> open(const File& file);

  // Whether verify_payload() proves what open() gave without all of it having been unpacked.
  [[nodiscard]] bool payload_can_be_verified() const;

  // Reads the package to its end, without unpacking it, and checks what proves the payload. Nothing
  // may be read from open()'s stream then.
  void verify_payload();

  // Whether anything has been proved so far. A package that rpm built has digests, unless somebody
  // has taken them out.
  [[nodiscard]] bool is_proved() const { return !verified_.empty(); }
  // What has been proved so far, and the signatures that could not be: a phrase each.
  [[nodiscard]] const std::vector<std::string>& verified() const { return verified_; }
  [[nodiscard]] const std::vector<std::string>& unverified() const { return unverified_; }
  // Digests that it has and that are not computed, as stronger ones are of the same bytes.
  [[nodiscard]] const std::vector<std::string>& superseded() const { return superseded_; }

 private:
  class Payload;

  void report(const PackageChecks::Result& result);
  // Reads the package to its end when first asked; nothing is unpacked any more then.
  const PackageChecks::Result& payload_result();
  // Whether the payload has the content of `file`, which `reader` then is at. If it can't be read
  // as what it should be though something proves that it is whole, the Error says that.
  bool find_content(CpioReader& reader, const File& file);

  std::unique_ptr<ByteStream> stream_;
  OnMismatch on_mismatch_;
  std::unique_ptr<StreamReader> input_;
  std::unique_ptr<PackageChecks> checks_;
  std::unique_ptr<Payload> payload_;
  std::unique_ptr<PrefetchStream> ahead_;  // of payload_
  std::unique_ptr<ByteStream> unpacked_;   // from ahead_
  std::unique_ptr<PrefetchStream> unpacked_ahead_;
  std::optional<PackageChecks::Result> payload_result_;
  std::string label_;
  std::string header_digest_;
  std::string compressor_;
  std::optional<std::string> unknown_payload_;
  std::int64_t build_time_ = 0;
  std::vector<File> files_;
  std::vector<std::string> verified_;
  std::vector<std::string> unverified_;
  std::vector<std::string> superseded_;
};

}  // namespace photon_dmesg
