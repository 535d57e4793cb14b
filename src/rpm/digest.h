#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

struct DIGEST_CTX_s;

namespace photon_dmesg {

// A running digest through librpm.
class Digest {
 public:
  // `algorithm` is one of librpm's PGPHASHALGO_*. Throws Error(UnusableInput) for one it lacks.
  explicit Digest(int algorithm);

  [[nodiscard]] static Digest sha256();

  // Whether there is such a digest here: in FIPS mode, MD5 is not.
  [[nodiscard]] static bool is_available(int algorithm);

  void update(std::span<const std::byte> bytes);

  // For librpm's verification of signatures; owned by this object.
  [[nodiscard]] DIGEST_CTX_s* handle() const { return context_.get(); }

  // The digest of everything so far, lower-case hexadecimal. Ends the digest.
  [[nodiscard]] std::string finish();

 private:
  struct Free {
    void operator()(DIGEST_CTX_s* context) const;
  };
  std::unique_ptr<DIGEST_CTX_s, Free> context_;
};

}  // namespace photon_dmesg
