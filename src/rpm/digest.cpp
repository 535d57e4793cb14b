#include "rpm/digest.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/error.h"
#include "rpm/librpm.h"

namespace photon_dmesg {

void Digest::Free::operator()(DIGEST_CTX_s* context) const {
  librpm().rpmDigestFinal(context, nullptr, nullptr, 0);
}

namespace {

DIGEST_CTX begin(int algorithm) {
  return librpm().rpmDigestInit(algorithm, RPMDIGEST_NONE);
}

}  // namespace

Digest Digest::sha256() {
  return Digest(PGPHASHALGO_SHA256);
}

bool Digest::is_available(int algorithm) {
  const std::unique_ptr<DIGEST_CTX_s, Free> context(begin(algorithm));
  return context != nullptr;
}

Digest::Digest(int algorithm) : context_(begin(algorithm)) {
  if (!context_) {
    throw unusable(fmt::format("librpm knows no digest algorithm {}", algorithm));
  }
}

void Digest::update(std::span<const std::byte> bytes) {
  librpm().rpmDigestUpdate(context_.get(), bytes.data(), bytes.size());
}

std::string Digest::finish() {
  void* text = nullptr;
  std::size_t length = 0;
  librpm().rpmDigestFinal(context_.release(), &text, &length, 1);
  const std::unique_ptr<void, decltype(&std::free)> owner(text, std::free);
  return text == nullptr ? "" : static_cast<const char*>(text);
}

}  // namespace photon_dmesg
