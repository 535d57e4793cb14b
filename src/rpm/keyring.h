#pragma once

#include <filesystem>
#include <memory>
#include <vector>

struct rpmKeyring_s;

namespace photon_dmesg {

// The OpenPGP public keys that packages may be signed with, through librpm.
class Keyring {
 public:
  // The keys in `files` (as `gpg --armor --export` writes them), and those that this host's own RPM
  // database trusts, if it has one.
  explicit Keyring(std::vector<std::filesystem::path> files = {}) : files_(std::move(files)) {}

  // For librpm; owned by this object. The keys are read when they are first asked for, which throws
  // Error(UnusableInput) for a file without a key. Not for use by several threads at once.
  [[nodiscard]] rpmKeyring_s* handle() const;

 private:
  struct Free {
    void operator()(rpmKeyring_s* keyring) const;
  };
  std::vector<std::filesystem::path> files_;
  mutable std::unique_ptr<rpmKeyring_s, Free> keyring_;
};

}  // namespace photon_dmesg
