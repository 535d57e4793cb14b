#include "rpm/package_checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include "rpm/header_tag.h"
#include "rpm/librpm.h"

namespace photon_dmesg {
namespace {

struct FreeSignature {
  void operator()(pgpDigParams_s* signature) const { librpm().pgpDigParamsFree(signature); }
};
using Signature = std::unique_ptr<pgpDigParams_s, FreeSignature>;

// What a digest or signature is of.
enum class Range { Header, HeaderAndPayload, Payload };

std::string_view name_of(Range range) {
  switch (range) {
    case Range::Header:
      return "the header";
    case Range::HeaderAndPayload:
      return "header and payload";
    case Range::Payload:
      return "the payload";
  }
  return "";
}

struct DigestTag {
  rpm_tag_t tag;
  int algorithm;
  const char* name;
  Range range;
};
constexpr std::array signature_digests = {
    DigestTag{RPMSIGTAG_SHA256, PGPHASHALGO_SHA256, "SHA-256", Range::Header},
    DigestTag{RPMSIGTAG_SHA1, PGPHASHALGO_SHA1, "SHA-1", Range::Header},
    DigestTag{RPMSIGTAG_MD5, PGPHASHALGO_MD5, "MD5", Range::HeaderAndPayload}};

struct SignatureTag {
  rpm_tag_t tag;
  Range range;
};
constexpr std::array signatures = {SignatureTag{RPMSIGTAG_RSA, Range::Header},
                                   SignatureTag{RPMSIGTAG_DSA, Range::Header},
                                   SignatureTag{RPMSIGTAG_PGP, Range::HeaderAndPayload},
                                   SignatureTag{RPMSIGTAG_GPG, Range::HeaderAndPayload}};

std::string describe(pgpDigParams_s* signature) {
  const std::unique_ptr<char, decltype(&std::free)> text(librpm().pgpIdentItem(signature),
                                                         std::free);
  return text ? text.get() : "a signature";
}

}  // namespace

// A digest on its way, and what it must come out as: this value, or what a signature signs.
struct PackageChecks::Check {
  std::string name;
  Range range = Range::Header;
  std::string expected;  // hexadecimal; empty for a signature
  Signature signature;
  std::optional<Digest> digest = std::nullopt;  // what add() makes it
};

PackageChecks::PackageChecks(headerToken_s* signature, headerToken_s* header,
                             std::span<const std::byte> header_bytes, const Keyring& keyring)
    : keyring_(keyring), size_(header_bytes.size()) {
  const auto size = HeaderTag(signature, RPMSIGTAG_LONGSIZE).number();
  expected_size_ =
      size ? *size : HeaderTag(signature, RPMSIGTAG_SIZE).number().value_or(expected_size_);
  add_digests(signature, header);
  add_signatures(signature);
  for (Check& check : checks_) {
    if (check.range != Range::Payload) check.digest->update(header_bytes);
    covers_payload_ = covers_payload_ || (check.range != Range::Header && !check.signature);
  }
}

PackageChecks::~PackageChecks() = default;

void PackageChecks::add(Check check, int algorithm) {
  if (!Digest::is_available(algorithm)) {
    unavailable_.push_back(
        fmt::format("{} (this host has no digest algorithm {})", check.name, algorithm));
    return;
  }
  check.digest.emplace(algorithm);
  checks_.push_back(std::move(check));
}

void PackageChecks::add_digests(headerToken_s* signature, headerToken_s* header) {
  // The strongest first: of what does not fit, the first is what the user reads.
  const std::string payload = HeaderTag(header, RPMTAG_PAYLOADDIGEST).text().value_or("");
  const auto algorithm = HeaderTag(header, RPMTAG_PAYLOADDIGESTALGO).number();
  if (!payload.empty()) {
    add({"digest of the payload", Range::Payload, payload, nullptr},
        static_cast<int>(algorithm.value_or(PGPHASHALGO_SHA256)));
  }
  const auto has_digest_of = [&](Range range) {
    return std::any_of(checks_.begin(), checks_.end(),
                       [&](const Check& check) { return check.range == range; });
  };
  for (const DigestTag& known : signature_digests) {
    const HeaderTag value(signature, known.tag);
    std::string expected = value.bytes().empty()
                               ? value.text().value_or("")
                               : fmt::format("{:02x}", fmt::join(value.bytes(), ""));
    if (expected.empty()) continue;
    std::string name = fmt::format("{} of {}", known.name, name_of(known.range));
    if (known.range == Range::HeaderAndPayload && has_digest_of(Range::Header) &&
        has_digest_of(Range::Payload)) {
      superseded_.push_back(std::move(name));
    } else {
      add({std::move(name), known.range, std::move(expected), nullptr}, known.algorithm);
    }
  }
}

void PackageChecks::add_signatures(headerToken_s* signature) {
  for (const SignatureTag& known : signatures) {
    const HeaderTag value(signature, known.tag);
    if (value.bytes().empty()) continue;
    pgpDigParams parsed = nullptr;
    if (librpm().pgpPrtParams(value.bytes().data(), value.bytes().size(), PGPTAG_SIGNATURE,
                              &parsed) != 0) {
      continue;  // as librpm does with what it can't parse: nothing is proved by it
    }
    Signature owner(parsed);
    const auto algorithm = static_cast<int>(librpm().pgpDigParamsAlgo(parsed, PGPVAL_HASHALGO));
    add({fmt::format("{} of {}", describe(parsed), name_of(known.range)), known.range, "",
         std::move(owner)},
        algorithm);
  }
}

void PackageChecks::update(std::span<const std::byte> payload) {
  size_ += payload.size();
  for (Check& check : checks_) {
    if (check.range != Range::Header) check.digest->update(payload);
  }
}

void PackageChecks::conclude(Check& check, Result& result) const {
  if (check.signature) {
    const rpmRC verdict = librpm().rpmKeyringVerifySig(keyring_.handle(), check.signature.get(),
                                                       check.digest->handle());
    if (verdict == RPMRC_NOKEY) {
      result.not_checked.push_back(check.name + " (its public key is not known: --key)");
    } else {
      (verdict == RPMRC_OK ? result.passed : result.failed).push_back(check.name);
    }
    return;
  }
  const std::string found = check.digest->finish();
  if (found == check.expected) {
    result.passed.push_back(check.name);
  } else {
    result.failed.push_back(
        fmt::format("{}: expected {}, found {}", check.name, check.expected, found));
  }
}

PackageChecks::Result PackageChecks::finish_header() {
  Result result;
  result.not_checked = std::move(unavailable_);
  result.superseded = std::move(superseded_);
  for (Check& check : checks_) {
    if (check.range == Range::Header) conclude(check, result);
  }
  return result;
}

PackageChecks::Result PackageChecks::finish_payload() {
  Result result;
  if (expected_size_ != 0 && expected_size_ != size_) {
    result.failed.push_back(fmt::format("size of header and payload: expected {} bytes, found {}",
                                        expected_size_, size_));
  }
  for (Check& check : checks_) {
    if (check.range != Range::Header) conclude(check, result);
  }
  return result;
}

}  // namespace photon_dmesg
