#include "session/symbol_pool.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "kernel/symbols/banner.h"
#include "kernel/symbols/symbol_store.h"
#include "kernel/symbols/vmlinux/elf_image.h"
#include "session/remembered_search.h"

namespace photon_dmesg {
namespace {

// A file that is of one kernel.
class OneCandidate final : public SymbolCandidates {
 public:
  OneCandidate(const SymbolInput& input, std::optional<std::string> wanted,
               Diagnostics& diagnostics)
      : input_(input), wanted_(std::move(wanted)), diagnostics_(diagnostics) {}

  std::optional<SymbolSource> next() override {
    if (std::exchange(done_, true)) return std::nullopt;
    if (wanted_ && input_.release && input_.release != wanted_) return std::nullopt;
    SymbolSource source = read_symbols(input_, diagnostics_);
    if (!wanted_ || !source.release || source.release == wanted_) return source;
    refuse(Error(Failure::Mismatch, fmt::format("{}: expected symbols of {}, found those of {}",
                                                input_.name(), *wanted_, *source.release)));
    return std::nullopt;
  }
  void refuse(const Error& why) override { refused_ = why; }
  [[nodiscard]] std::vector<Error> failures() const override {
    return refused_ ? std::vector{*refused_} : std::vector<Error>();
  }

 private:
  const SymbolInput& input_;
  std::optional<std::string> wanted_;  // release
  Diagnostics& diagnostics_;
  bool done_ = false;
  std::optional<Error> refused_;
};

// Whether `input` is what eu-strip has split from the vmlinux that `accepted` was read from.
bool is_other_half(const SymbolInput& input, const SymbolSource& accepted) {
  if (input.kind != SymbolKind::Vmlinux || !accepted.provenance.vmlinux) return false;
  try {
    const std::optional<std::string> id = ElfImage(input.path).build_id();
    return id && id == accepted.symbols->build_id();
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

// What a pool's inputs hold, one source of symbols behind the other.
class UnreadCandidates final : public SymbolCandidates {
 public:
  UnreadCandidates(SymbolPool& pool, WantedKernel wanted, Diagnostics& diagnostics)
      : pool_(pool), wanted_(std::move(wanted)), diagnostics_(diagnostics) {
    add_files([](SymbolKind kind) {
      return kind != SymbolKind::BootImage && kind != SymbolKind::SystemMap;
    });
    const auto& inputs = pool_.inputs();
    if (std::any_of(inputs.begin(), inputs.end(),
                    [](const SymbolInput& input) { return holds_packages(input.kind); })) {
      sources_.push_back({nullptr, nullptr, {}});
    }
    // A vmlinux knows more than a kernel carries itself; types are better than none.
    add_files([](SymbolKind kind) { return kind == SymbolKind::BootImage; });
    add_files([](SymbolKind kind) { return kind == SymbolKind::SystemMap; });
  }

  std::optional<SymbolSource> next() override {
    for (; current_ < sources_.size(); ++current_) {
      Source& source = sources_[current_];
      try {
        if (!source.candidates) source.candidates = open(source);
        last_ = source.candidates->next();
        if (last_) return last_;
        source.failures = source.candidates->failures();
      } catch (const Error& error) {
        source.failures = {error};
      }
    }
    return std::nullopt;
  }

  void refuse(const Error& why) override {
    diagnostics_.found({.what = why.what()});
    sources_[current_].candidates->refuse(why);
  }

  void accept() override {
    sources_[current_].candidates->accept();
    for (std::size_t i = 0; i < current_; ++i) {
      const Source& passed = sources_[i];
      const bool is_half = passed.input != nullptr && is_other_half(*passed.input, *last_);
      for (const Error& failure : passed.failures) {
        const bool is_of_another_guest = pool_.is_shared_ && failure.failure() == Failure::Mismatch;
        if (is_half || is_of_another_guest) {
          diagnostics_.found({.what = failure.what()});
        } else {
          diagnostics_.warn_of_lack(fmt::format("not used: {}", failure.what()));
        }
      }
    }
  }

  [[nodiscard]] std::vector<Error> failures() const override {
    std::vector<Error> all;
    for (const Source& source : sources_) {
      all.insert(all.end(), source.failures.begin(), source.failures.end());
    }
    return all;
  }

 private:
  struct Source {
    const SymbolInput* input;                      // null: all that hold packages
    std::unique_ptr<SymbolCandidates> candidates;  // null: not tried yet
    std::vector<Error> failures;                   // why none of its candidates was taken
  };

  template <typename IsKind>
  void add_files(IsKind is_kind) {
    for (const SymbolInput& input : pool_.inputs()) {
      if (!holds_packages(input.kind) && is_kind(input.kind)) {
        sources_.push_back({&input, nullptr, {}});
      }
    }
  }

  std::unique_ptr<SymbolCandidates> open(const Source& source) {
    if (source.input != nullptr) {
      return std::make_unique<OneCandidate>(*source.input, wanted_.release, diagnostics_);
    }
    const auto search = [this] {
      return std::make_unique<PackageSearch>(pool_.packages(wanted_, diagnostics_),
                                             pool_.package_names(), wanted_, pool_.use_,
                                             diagnostics_);
    };
    // A list that is there is of the media as they were when it was made.
    if (pool_.packages_) return search();
    return std::make_unique<RememberedSearch>(pool_.inputs(), wanted_, pool_.use_, search,
                                              diagnostics_);
  }

  SymbolPool& pool_;
  WantedKernel wanted_;
  Diagnostics& diagnostics_;
  std::vector<Source> sources_;
  std::size_t current_ = 0;
  std::optional<SymbolSource> last_;
};

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
    if (!unread_) unread_ = std::make_unique<UnreadCandidates>(pool_, wanted_, diagnostics_);
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

  [[nodiscard]] std::vector<Error> failures() const override {
    std::vector<Error> all = unread_ ? unread_->failures() : std::vector<Error>();
    if (all.empty()) all = pool_.unusable_;
    if (all.empty() && !pool_.names_.empty()) {
      all.emplace_back(Failure::Mismatch,
                       fmt::format("{}: expected symbols of {}, found those of other kernels",
                                   pool_.names_, wanted_.release.value_or("the guest's kernel")));
    }
    return all;
  }

 private:
  SymbolPool& pool_;
  WantedKernel wanted_;
  Diagnostics& diagnostics_;
  std::size_t known_ = 0;
  std::unique_ptr<UnreadCandidates> unread_;
  std::optional<SymbolSource> last_;
};

// What one has, and behind it what the other has.
class ChainedCandidates final : public SymbolCandidates {
 public:
  ChainedCandidates(std::unique_ptr<SymbolCandidates> first,
                    std::unique_ptr<SymbolCandidates> second, Diagnostics& diagnostics)
      : first_(std::move(first)), second_(std::move(second)), diagnostics_(diagnostics) {}

  std::optional<SymbolSource> next() override {
    if (!in_second_) {
      if (auto source = first_->next()) return source;
      in_second_ = true;
    }
    return second_->next();
  }
  void refuse(const Error& why) override { (in_second_ ? second_ : first_)->refuse(why); }
  void accept() override {
    if (!in_second_) return first_->accept();
    for (const Error& failure : first_->failures()) {
      diagnostics_.warn_of_lack(fmt::format("not used: {}", failure.what()));
    }
    second_->accept();
  }
  [[nodiscard]] std::vector<Error> failures() const override {
    std::vector<Error> all = first_->failures();
    const std::vector<Error> more = second_->failures();
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

 private:
  std::unique_ptr<SymbolCandidates> first_;
  std::unique_ptr<SymbolCandidates> second_;
  Diagnostics& diagnostics_;
  bool in_second_ = false;
};

SymbolPool::SymbolPool(std::vector<SymbolInput> inputs, const session::Options& options,
                       std::shared_ptr<SymbolPool> shared)
    : inputs_(std::move(inputs)),
      names_(names_of([](SymbolKind) { return true; })),
      use_(options),
      strict_(options.strict),
      shared_(std::move(shared)) {}

void SymbolPool::share(Diagnostics& diagnostics) {
  is_shared_ = true;
  try {
    (void)packages({}, diagnostics);
  } catch (const Error& error) {
    leave_out(error, diagnostics);
    std::erase_if(inputs_, [](const SymbolInput& input) { return holds_packages(input.kind); });
    packages_.emplace();
  }
  read_ahead(diagnostics);
}

void SymbolPool::leave_out(const Error& why, Diagnostics& diagnostics) {
  diagnostics.warn_of_lack(fmt::format("not used: {}", why.what()));
  unusable_.push_back(why);
}

// A file of one kernel: each guest would have to read it to learn that it is of another. Of
// profiles, of which there may be hundreds, only that is kept: they are soon read again.
void SymbolPool::read_ahead(Diagnostics& diagnostics) {
  std::vector<SymbolInput> unread;
  std::vector<SymbolInput> without_banner;  // nor types: those that have come first
  for (SymbolInput& input : inputs_) {
    if (holds_packages(input.kind) || input.kind == SymbolKind::SystemMap) {
      unread.push_back(std::move(input));
      continue;
    }
    try {
      SymbolSource source = read_symbols(input, diagnostics);
      const auto banner = banner_of(*source.symbols);
      if (!source.release && banner) source.release = banner->release;
      if (is_symbol_store(*input.file)) {
        input.release = source.release;
        (banner ? unread : without_banner).push_back(std::move(input));
      } else {
        read_.push_back(std::move(source));
      }
    } catch (const Error& error) {
      leave_out(error, diagnostics);
    }
  }
  std::move(without_banner.begin(), without_banner.end(), std::back_inserter(unread));
  inputs_ = std::move(unread);
}

std::string SymbolPool::names() const {
  if (!shared_ || shared_->empty()) return names_;
  return names_ + (names_.empty() ? "" : ", ") + shared_->names();
}

std::string SymbolPool::package_names() const {
  return names_of(holds_packages);
}

std::string SymbolPool::names_of(bool (*is_kind)(SymbolKind kind)) const {
  std::vector<std::string> names;
  for (const SymbolInput& input : inputs_) {
    if (is_kind(input.kind)) names.push_back(input.name());
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

std::vector<PackagedKernel> SymbolPool::kernels(Diagnostics& diagnostics) {
  return list_kernels(packages({}, diagnostics), use_, diagnostics);
}

std::unique_ptr<SymbolCandidates> SymbolPool::candidates(const WantedKernel& wanted,
                                                         Diagnostics& diagnostics) {
  auto own = std::make_unique<PooledCandidates>(*this, wanted, diagnostics);
  if (!shared_) return own;
  return std::make_unique<ChainedCandidates>(std::move(own),
                                             shared_->candidates(wanted, diagnostics), diagnostics);
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
