#include "cli/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <streambuf>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/output_file.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

constexpr mode_t public_mode = 0666;  // as far as the umask lets

Error incomplete(const std::string& name, int error) {
  return {Failure::Incomplete,
          fmt::format("{}: can't be written: {}", name, std::generic_category().message(error))};
}

// Who reads the output wants no more of it.
struct ReaderGone {};

// Collects what a stream is given and passes it on in pieces.
class PieceBuffer : public std::streambuf {
 public:
  explicit PieceBuffer(std::function<void(std::string_view)> pass_on)
      : pass_on_(std::move(pass_on)), bytes_(size) {
    setp(bytes_.data(), bytes_.data() + bytes_.size());
  }

 private:
  static constexpr std::size_t size = 64 * 1024;

  int_type overflow(int_type next) override {
    sync();
    if (!traits_type::eq_int_type(next, traits_type::eof())) {
      sputc(traits_type::to_char_type(next));
    }
    return traits_type::not_eof(next);
  }

  int sync() override {
    const std::string_view piece(pbase(), static_cast<std::size_t>(pptr() - pbase()));
    setp(bytes_.data(), bytes_.data() + bytes_.size());
    if (!piece.empty()) pass_on_(piece);
    return 0;
  }

  std::function<void(std::string_view)> pass_on_;
  std::vector<char> bytes_;
};

void write_in_pieces(const std::function<void(std::ostream&)>& write,
                     const std::function<void(std::string_view)>& pass_on) {
  PieceBuffer buffer(pass_on);
  std::ostream out(&buffer);
  out.exceptions(std::ios::badbit);  // what goes wrong below arrives above
  write(out);
  out.flush();
}

void write_to_descriptor(int descriptor, const std::string& name,
                         const std::function<void(std::ostream&)>& write) {
  try {
    write_in_pieces(write, [&](std::string_view piece) {
      while (!piece.empty()) {
        const ssize_t count = ::write(descriptor, piece.data(), piece.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EPIPE) throw ReaderGone();
        if (count < 0) throw incomplete(name, errno);
        piece.remove_prefix(static_cast<std::size_t>(count));
      }
    });
  } catch (const ReaderGone&) {
    // What was read is what was wanted.
  }
}

void write_to_device(const fs::path& path, const std::function<void(std::ostream&)>& write) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) throw incomplete(path.string(), errno);
  const auto close = [](const int* open) { ::close(*open); };
  const std::unique_ptr<const int, decltype(close)> closed(&descriptor, close);
  write_to_descriptor(descriptor, path.string(), write);
}

void write_to_file(const fs::path& path, const std::function<void(std::ostream&)>& write) {
  OutputFile file(path, public_mode);
  std::uint64_t size = 0;
  write_in_pieces(write, [&](std::string_view piece) {
    file.write(size, piece);
    size += piece.size();
  });
  file.finish(size);
}

}  // namespace

void check_no_input(const Options& options, const fs::path& target) {
  for (const fs::path& input : options.files) {
    std::error_code ignored;
    if (fs::equivalent(input, target, ignored)) {
      throw Error(
          Failure::Usage,
          fmt::format("{}: this is one of the inputs, and would be overwritten", target.string()));
    }
  }
}

void check_output(const Options& options) {
  for (const auto& output : {options.output, options.screenshot, options.configuration}) {
    if (output) check_no_input(options, *output);
  }
}

void write_output(const Options& options, const std::function<void(std::ostream&)>& write) {
  if (!options.output) {
    write_to_descriptor(STDOUT_FILENO, "the output", write);
    return;
  }
  // Through symbolic links, so that the file they lead to is replaced and not the link.
  std::error_code ignored;
  const fs::path target = fs::weakly_canonical(*options.output, ignored);
  const fs::path path = target.empty() ? *options.output : target;
  if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored)) {
    write_to_device(path, write);
  } else {
    write_to_file(path, write);
  }
}

}  // namespace photon_dmesg
