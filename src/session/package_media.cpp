#include "session/package_media.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/file_stream.h"
#include "iso/iso_image.h"
#include "iso/kernel_packages.h"
#include "rpm/rpm_package.h"
#include "session/other_files.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

// More than any kernel's package has; a pipe may promise anything.
constexpr std::uint64_t most_package_bytes = std::uint64_t{2} << 30;

// Of one ISO: each is gone to from the ISO's beginning. Photon's have some dozens.
constexpr std::size_t most_packages = 1000;

bool may_be_of_kernel(std::string_view path) {
  return is_kernel_debuginfo_package(path) || is_kernel_package(path);
}

// By what the package calls itself, whatever its file is called.
bool says_it_is_of_kernel(const ByteSource& package) {
  return is_rpm_package(package) && may_be_of_kernel(lead_name(package) + ".x86_64.rpm");
}

bool may_be_of_kernel_by_lead(const fs::path& path) {
  try {
    return says_it_is_of_kernel(InputFile(path));
  } catch (const Error&) {
    return false;  // a file that nobody named and that can't be read
  }
}

bool may_be_of_kernel_by_lead(ByteStream& package) {
  return says_it_is_of_kernel(BufferSource(package.name(), package.next()));
}

// Whether ISO 9660 alone has cut the name: "LINUX_6.RPM", as it does where neither Rock Ridge nor
// Joliet keeps the whole one.
bool may_be_cut_name(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const bool has_lower =
      std::any_of(name.begin(), name.end(), [](unsigned char c) { return std::islower(c) != 0; });
  return !has_lower && (name.starts_with("LINUX") || name.starts_with("KERNEL")) &&
         name.ends_with(".RPM");
}

// A package that had to be kept in memory.
struct KeptPackage {
  std::string name;
  std::vector<std::byte> bytes;
};

class KeptPackageStream final : public ByteStream {
 public:
  explicit KeptPackageStream(std::shared_ptr<const KeptPackage> package)
      : package_(std::move(package)), rest_(package_->bytes) {}

  [[nodiscard]] std::span<const std::byte> next() override { return std::exchange(rest_, {}); }
  [[nodiscard]] const std::string& name() const override { return package_->name; }

 private:
  std::shared_ptr<const KeptPackage> package_;
  std::span<const std::byte> rest_;
};

// A package in a file of its own.
class PackageFileStream final : public ByteStream {
 public:
  explicit PackageFileStream(const fs::path& path) : file_(path), stream_(file_) {}

  [[nodiscard]] std::span<const std::byte> next() override { return stream_.next(); }
  [[nodiscard]] const std::string& name() const override { return file_.name(); }

 private:
  InputFile file_;
  FileStream stream_;
};

// Shows how far an ISO that comes through a pipe has been read: nothing tells how large it is.
class IsoStream final : public ByteStream {
 public:
  IsoStream(ByteStream& stream, Diagnostics& diagnostics)
      : stream_(stream), what_("reading " + stream.name()), diagnostics_(diagnostics) {}

  [[nodiscard]] std::span<const std::byte> next() override {
    const std::span<const std::byte> bytes = stream_.next();
    position_ += bytes.size();
    diagnostics_.progress({what_, position_, 0});
    return bytes;
  }
  [[nodiscard]] const std::string& name() const override { return stream_.name(); }

 private:
  ByteStream& stream_;
  std::string what_;
  Diagnostics& diagnostics_;
  std::uint64_t position_ = 0;
};

// What begins with `first`, which `content` has given already; `size` of it as far as it is known,
// else 0.
std::shared_ptr<const KeptPackage> keep(std::span<const std::byte> first, ByteStream& content,
                                        std::uint64_t size, Diagnostics& diagnostics) {
  auto package = std::make_shared<KeptPackage>();
  package->name = content.name();
  for (auto bytes = first; !bytes.empty(); bytes = content.next()) {
    if (package->bytes.size() > most_package_bytes - bytes.size()) {
      throw unusable(fmt::format("{}: expected a package of at most {} bytes, found more",
                                 content.name(), most_package_bytes));
    }
    package->bytes.insert(package->bytes.end(), bytes.begin(), bytes.end());
    diagnostics.progress({"reading a package", package->bytes.size(), size});
  }
  return package;
}

PackageFile package_in_file(const fs::path& path) {
  return {path.string(), std::nullopt,
          [path] { return std::make_unique<PackageFileStream>(path); }};
}

PackageFile kept_file(std::string path, std::optional<std::string> iso,
                      std::shared_ptr<const KeptPackage> package) {
  return {std::move(path), std::move(iso),
          [package = std::move(package)] { return std::make_unique<KeptPackageStream>(package); }};
}

class Lister {
 public:
  Lister(const std::function<bool(std::unique_ptr<ByteStream>)>& is_wanted,
         Diagnostics& diagnostics)
      : is_wanted_(is_wanted), diagnostics_(diagnostics) {}

  void add(const SymbolInput& input) {
    switch (input.kind) {
      case SymbolKind::Iso:
        return input.pipe ? add_iso(*input.pipe) : add_iso(input.path);
      case SymbolKind::Package:
        return input.pipe ? add_package(*input.pipe) : add_package(input.path);
      case SymbolKind::Folder:
        return add_folder(input.path);
      default:
        return;
    }
  }

  [[nodiscard]] std::vector<PackageFile> take() { return std::move(packages_); }

 private:
  void add_package(const fs::path& path) { packages_.push_back(package_in_file(path)); }

  void add_package(PipeStream& pipe) {
    packages_.push_back(
        kept_file(pipe.name(), std::nullopt, keep(pipe.next(), pipe, 0, diagnostics_)));
  }

  void add_iso(const fs::path& path) {
    const auto iso = std::make_shared<const IsoImage>(path);
    if (!iso->unlisted().empty()) {
      diagnostics_.warn_of_lack(fmt::format("{}: damaged: a part of its files is not listed: {}",
                                            path.string(), iso->unlisted()));
    }
    std::set<std::string> contents;
    std::size_t left_out = 0;
    for (const IsoImage::File& file : iso->files()) {
      const bool is_named = may_be_of_kernel(file.path);
      if (!is_named && !may_be_cut_name(file.path)) continue;
      if (contents.contains(file.content)) continue;
      if (contents.size() == most_packages) {
        ++left_out;
        continue;
      }
      contents.insert(file.content);
      if (!is_named && !may_be_of_kernel_by_lead(*iso->open(file))) continue;
      packages_.push_back({file.path, path.string(), [iso, file] { return iso->open(file); }});
    }
    if (left_out == 0) return;
    diagnostics_.warn_of_lack(fmt::format(
        "not used: {}: expected at most {} packages that are called as a kernel's, found {} more: "
        "copy the one that is needed from it, and name that",
        path.string(), most_packages, left_out));
  }

  void add_iso(PipeStream& pipe) {
    IsoStream iso(pipe, diagnostics_);
    IsoImage::for_each_file(iso, [&](const IsoImage::File& file, ByteStream& content) {
      const bool is_named = may_be_of_kernel(file.path);
      // A kernel's package may come under the first of its names only, whatever that is.
      if (!is_named && !has_ending(file.path, ".rpm")) return true;
      const std::span<const std::byte> first = content.next();
      if (!is_named && !says_it_is_of_kernel(BufferSource(file.path, first))) return true;
      auto package = keep(first, content, file.size, diagnostics_);
      if (is_wanted_(std::make_unique<KeptPackageStream>(package))) {
        packages_.push_back(kept_file(file.path, pipe.name(), std::move(package)));
      }
      return true;
    });
    // Whoever writes to the pipe is not to fail for the padding at an image's end.
    while (!iso.next().empty()) {
    }
  }

  // One that is damaged is one of many: it must not hide the others.
  void add_found_iso(const fs::path& path) {
    try {
      if (is_iso_image(InputFile(path))) add_iso(path);
    } catch (const Error& error) {
      diagnostics_.warn_of_lack(fmt::format("not used: {}", error.what()));
    }
  }

  // In the order of their names, so that every run does the same.
  void add_folder(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied,
                                           error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      std::error_code ignored;
      const fs::path& path = entry->path();
      if (!entry->is_regular_file(ignored)) continue;
      const bool is_package = has_ending(path, ".rpm") &&
                              (may_be_of_kernel(path.string()) || may_be_of_kernel_by_lead(path));
      if (is_package || has_ending(path, ".iso")) found.push_back(path);
    }
    if (error) throw unusable(fmt::format("{}: {}", folder.string(), error.message()));
    std::sort(found.begin(), found.end());
    for (const fs::path& path : found) {
      has_ending(path, ".iso") ? add_found_iso(path) : add_package(path);
    }
  }

  const std::function<bool(std::unique_ptr<ByteStream>)>& is_wanted_;
  Diagnostics& diagnostics_;
  std::vector<PackageFile> packages_;
};

}  // namespace

std::vector<PackageFile> list_packages(
    const std::vector<SymbolInput>& inputs,
    const std::function<bool(std::unique_ptr<ByteStream> package)>& is_wanted,
    Diagnostics& diagnostics) {
  Lister lister(is_wanted, diagnostics);
  std::vector<Error> unusable;
  for (const SymbolInput& input : inputs) {
    try {
      lister.add(input);
    } catch (const Error& error) {
      unusable.push_back(error);
    }
  }
  std::vector<PackageFile> packages = lister.take();
  if (packages.empty() && !unusable.empty()) throw Error(unusable.front());
  for (const Error& error : unusable) {
    diagnostics.warn_of_lack(fmt::format("not used: {}", error.what()));
  }
  return packages;
}

PackageFile package_on(const SymbolInput& medium, const std::string& path) {
  if (medium.kind != SymbolKind::Iso) return package_in_file(medium.path);
  return {path, medium.path.string(), [image = medium.path, path] {
            const IsoImage iso(image);
            const auto& files = iso.files();
            const auto file =
                std::find_if(files.begin(), files.end(),
                             [&](const IsoImage::File& one) { return one.path == path; });
            if (file != files.end()) return iso.open(*file);
            throw unusable(fmt::format("{}: {} is no longer there", image.string(), path));
          }};
}

}  // namespace photon_dmesg
