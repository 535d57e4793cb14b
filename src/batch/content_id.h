#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace photon_dmesg {

// What tells whether a file is still what it was when a ticket was read, whatever its date says:
// its size, and the SHA-256 of all of it, or of a larger file's beginning, end, and pieces between
// these at even distances. A guest's memory is too large to be read for it as a whole; its
// checkpoint, which changes with each suspend, mostly is not. Of a folder: of the names and sizes
// in it. Lower-case hexadecimal. Throws Error(UnusableInput) if the file can't be read.
[[nodiscard]] std::string content_id(const std::filesystem::path& path);

// The same of what symbols are looked for in: of a folder, of the content of each file in it too,
// as another build of a package has its name, and may have its size.
[[nodiscard]] std::string symbols_id(const std::filesystem::path& path);

// The same of a file of a guest's; of one that is not read as a whole it also tells when that was
// last written, as another guest's, or another state, may differ between the pieces only.
[[nodiscard]] std::string evidence_id(const std::filesystem::path& path);

// The SHA-256 of all of a file of this program's own, which is not an input by that. Throws
// std::filesystem::filesystem_error if it can't be read.
[[nodiscard]] std::string content_digest(const std::filesystem::path& path);

// The SHA-256 of `text`.
[[nodiscard]] std::string digest_of(std::string_view text);

}  // namespace photon_dmesg
