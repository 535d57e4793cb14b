#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rpm/digest.h"
#include "rpm/keyring.h"

struct headerToken_s;

namespace photon_dmesg {

// What in a package proves the rest of it, computed as the package comes by: digests and OpenPGP
// signatures of the header (RPMSIGTAG_SHA256, SHA1, RSA, DSA), of header and payload (MD5,
// PGP, GPG), of the payload (RPMTAG_PAYLOADDIGEST), and the size of both (rpm's
// docs/manual/signatures_digests.md). MD5 is computed only of packages made before rpm 4.14, whose
// payload has no digest of its own: it takes three times as long as SHA-256 and proves less.
class PackageChecks {
 public:
  // Of the package's signature and header as librpm has read them, and the header's own bytes with
  // their magic. `keyring` must outlive this object.
  PackageChecks(headerToken_s* signature, headerToken_s* header,
                std::span<const std::byte> header_bytes, const Keyring& keyring);
  ~PackageChecks();

  struct Result {
    std::vector<std::string> passed;
    std::vector<std::string> failed;  // each with what was expected and found
    std::vector<std::string>
        not_checked;  // each with the reason: no public key, no such digest here
    std::vector<std::string> superseded;  // not computed: stronger digests are of the same bytes
  };

  // What concerns the header alone. Call once.
  [[nodiscard]] Result finish_header();

  // Takes the payload's next bytes, as they are in the package.
  void update(std::span<const std::byte> payload);

  // What concerns the payload, when all of it has been seen. Call once.
  [[nodiscard]] Result finish_payload();

  // Whether anything proves the payload as it is stored.
  [[nodiscard]] bool cover_payload() const { return covers_payload_; }

 private:
  struct Check;

  void add_digests(headerToken_s* signature, headerToken_s* header);
  void add_signatures(headerToken_s* signature);
  void add(Check check, int algorithm);
  void conclude(Check& check, Result& result) const;

  const Keyring& keyring_;
  std::vector<Check> checks_;
  std::vector<std::string> unavailable_;
  std::vector<std::string> superseded_;
  std::uint64_t size_ = 0;           // of header and payload, seen so far
  std::uint64_t expected_size_ = 0;  // 0: the package does not say
  bool covers_payload_ = false;
};

}  // namespace photon_dmesg
