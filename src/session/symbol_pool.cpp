#include "session/symbol_pool.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "session/package_search.h"

namespace photon_dmesg {
namespace {

// A file that is of one kernel: the reason why it is not accepted is the user's answer.
class OneCandidate final : public SymbolCandidates {
 public:
  explicit OneCandidate(const SymbolInput& input) : input_(input) {}

  std::optional<SymbolSource> next() override {
    if (std::exchange(done_, true)) return std::nullopt;
    return read_symbols(input_);
  }
  void refuse(const Error& why) override { throw Error(why); }
  [[nodiscard]] Error failure() const override {
    return unusable(fmt::format("{}: not the guest's kernel", input_.name()));
  }

 private:
  const SymbolInput& input_;
  bool done_ = false;
};

}  // namespace

// First what other guests have taken, then what is still to be read.
class PooledCandidates final : public SymbolCandidates {
 public:
  PooledCandidates(SymbolPool& pool, WantedKernel wanted, Diagnostics& diagnostics)
      : pool_(pool), wanted_(std::move(wanted)), diagnostics_(diagnostics) {}

  std::optional<SymbolSource> next() override {
    for (; known_ < pool_.read_.size(); ++known_) {
      const SymbolSource& source = pool_.read_[known_];
      if (wanted_.release && source.release && source.release != wanted_.release) continue;
      ++known_;
      last_ = source;
      return last_;
    }
    if (!unread_) unread_ = pool_.open_candidates(wanted_, diagnostics_);
    last_ = unread_->next();
    return last_;
  }

  void refuse(const Error& why) override {
    if (unread_) return unread_->refuse(why);
    diagnostics_.found({.what = why.what()});
  }

  void accept() override {
    if (!unread_) return;
    unread_->accept();
    pool_.read_.push_back(*last_);
  }

  [[nodiscard]] Error failure() const override { return unread_->failure(); }

 private:
  SymbolPool& pool_;
  WantedKernel wanted_;
  Diagnostics& diagnostics_;
  std::size_t known_ = 0;
  std::unique_ptr<SymbolCandidates> unread_;
  std::optional<SymbolSource> last_;
};

SymbolPool::SymbolPool(std::vector<SymbolInput> inputs, const session::Options& options)
    : inputs_(std::move(inputs)), use_(options) {}

std::string SymbolPool::names() const {
  std::vector<std::string> names;
  names.reserve(inputs_.size());
  for (const SymbolInput& input : inputs_) names.push_back(input.name());
  return fmt::format("{}", fmt::join(names, ", "));
}

std::unique_ptr<SymbolCandidates> SymbolPool::candidates(const WantedKernel& wanted,
                                                         Diagnostics& diagnostics) {
  return std::make_unique<PooledCandidates>(*this, wanted, diagnostics);
}

std::unique_ptr<SymbolCandidates> SymbolPool::open_candidates(const WantedKernel& wanted,
                                                              Diagnostics& diagnostics) {
  if (!holds_packages(inputs_.front().kind)) {
    return std::make_unique<OneCandidate>(inputs_.front());
  }
  return std::make_unique<PackageSearch>(packages(wanted, diagnostics), names(), wanted, use_,
                                         diagnostics);
}

std::vector<PackageFile> SymbolPool::packages(const WantedKernel& wanted,
                                              Diagnostics& diagnostics) {
  if (!packages_) {
    packages_ = list_packages(
        inputs_,
        [&](std::unique_ptr<ByteStream> package) {
          return may_be_wanted(std::move(package), wanted, use_, diagnostics);
        },
        diagnostics);
  }
  return *packages_;
}

}  // namespace photon_dmesg
