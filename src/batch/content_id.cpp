#include "batch/content_id.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/input_file.h"
#include "rpm/digest.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t whole_up_to = std::uint64_t{16} << 20U;
constexpr std::uint64_t piece_bytes = std::uint64_t{16} << 10U;
constexpr std::uint64_t pieces = 64;

void add(Digest& digest, std::string_view text) {
  digest.update(std::as_bytes(std::span(text)));
}

void add_bytes(Digest& digest, const ByteSource& file, std::uint64_t offset, std::uint64_t size) {
  std::vector<std::byte> bytes(size);
  file.read_at(offset, bytes);
  digest.update(bytes);
}

using IdOfFile = std::string (*)(const fs::path& path);

// Of the names in `folder`, and what `id_of` says of each.
std::string id_of_folder(const fs::path& folder, IdOfFile id_of) {
  std::vector<std::string> entries;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied,
                                         error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (!entry->is_regular_file(ignored)) continue;
    entries.push_back(fmt::format("{}\n{}\n", entry->path().lexically_relative(folder).string(),
                                  id_of(entry->path())));
  }
  std::sort(entries.begin(), entries.end());
  Digest digest = Digest::sha256();
  for (const std::string& text : entries) add(digest, text);
  return digest.finish();
}

std::string size_of(const fs::path& path) {
  std::error_code ignored;
  return fmt::format("{}", fs::file_size(path, ignored));
}

std::string id_of_file(const fs::path& path) {
  const InputFile file(path);
  const std::uint64_t size = file.size();
  Digest digest = Digest::sha256();
  add(digest, fmt::format("{}\n", size));
  if (size <= whole_up_to) {
    for (std::uint64_t offset = 0; offset < size; offset += piece_bytes) {
      add_bytes(digest, file, offset, std::min(piece_bytes, size - offset));
    }
    return digest.finish();
  }
  for (std::uint64_t piece = 0; piece < pieces; ++piece) {
    add_bytes(digest, file, (size - piece_bytes) / (pieces - 1) * piece, piece_bytes);
  }
  add_bytes(digest, file, size - piece_bytes, piece_bytes);
  return digest.finish();
}

std::string id_or_reason(const fs::path& path) {
  try {
    return id_of_file(path);
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

std::string content_id(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored) ? id_of_folder(path, size_of) : id_of_file(path);
}

std::string symbols_id(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored) ? id_of_folder(path, id_or_reason) : id_of_file(path);
}

std::string evidence_id(const fs::path& path) {
  std::error_code error;
  const bool is_sampled =
      fs::is_regular_file(path, error) && fs::file_size(path, error) > whole_up_to;
  if (!is_sampled) return content_id(path);
  const auto written = fs::last_write_time(path, error).time_since_epoch().count();
  return fmt::format("{} {}", content_id(path), error ? 0 : written);
}

std::string content_digest(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw fs::filesystem_error("can't be read", path, std::make_error_code(std::errc::io_error));
  }
  Digest digest = Digest::sha256();
  std::vector<char> bytes(piece_bytes);
  while (file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())) || file.gcount() > 0) {
    digest.update(std::as_bytes(std::span(bytes).first(static_cast<std::size_t>(file.gcount()))));
  }
  return digest.finish();
}

std::string digest_of(std::string_view text) {
  Digest digest = Digest::sha256();
  add(digest, text);
  return digest.finish();
}

}  // namespace photon_dmesg
