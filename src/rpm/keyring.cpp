#include "rpm/keyring.h"

#include <fmt/format.h>

#include <cstdlib>
#include <span>

#include "base/error.h"
#include "rpm/librpm.h"

namespace photon_dmesg {
namespace {

// librpm talks to stderr unless it is told not to.
int say_nothing(rpmlogRec /*record*/, rpmlogCallbackData /*data*/) {
  return 0;
}

struct FreeTransaction {
  void operator()(rpmts_s* transaction) const { librpm().rpmtsFree(transaction); }
};

// librpm would make a database that is not there.
bool has_database() {
  const std::unique_ptr<char, decltype(&std::free)> folder(
      librpm().rpmGetPath("%{?_dbpath}", nullptr), std::free);
  std::error_code ignored;
  return folder && *folder != '\0' && std::filesystem::is_directory(folder.get(), ignored);
}

// The keys of this host's RPM database; null without any.
rpmKeyring_s* read_host_keys() {
  librpm().rpmlogSetCallback(say_nothing, nullptr);
  if (librpm().rpmReadConfigFiles(nullptr, nullptr) != 0 || !has_database()) return nullptr;
  const std::unique_ptr<rpmts_s, FreeTransaction> transaction(librpm().rpmtsCreate());
  return librpm().rpmtsGetKeyring(transaction.get(), 1);
}

void add_key(rpmKeyring_s* keyring, const std::filesystem::path& file) {
  rpmPubkey key = librpm().rpmPubkeyRead(file.c_str());
  if (key == nullptr) {
    throw unusable(fmt::format(
        "{}: expected a public key as gpg --armor --export writes it, found none", file.string()));
  }
  librpm().rpmKeyringAddKey(keyring, key);
  int count = 0;
  rpmPubkey* subkeys = librpm().rpmGetSubkeys(key, &count);
  for (rpmPubkey subkey : std::span(subkeys, static_cast<std::size_t>(count))) {
    librpm().rpmKeyringAddKey(keyring, subkey);
    librpm().rpmPubkeyFree(subkey);
  }
  std::free(subkeys);
  librpm().rpmPubkeyFree(key);
}

}  // namespace

void Keyring::Free::operator()(rpmKeyring_s* keyring) const {
  librpm().rpmKeyringFree(keyring);
}

rpmKeyring_s* Keyring::handle() const {
  if (!keyring_) {
    keyring_.reset(read_host_keys());
    if (!keyring_) keyring_.reset(librpm().rpmKeyringNew());
    for (const std::filesystem::path& file : files_) add_key(keyring_.get(), file);
  }
  return keyring_.get();
}

}  // namespace photon_dmesg
