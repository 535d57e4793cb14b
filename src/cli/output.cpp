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

#include "base/descriptor.h"
#include "base/error.h"
#include "base/output_file.h"
#include "cli/core_folder.h"
#include "cli/io/output_target.h"
#include "cli/io/standard_streams.h"
#include "cli/output_guard.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

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

void write_in_pieces(const Write& write, const std::function<void(std::string_view)>& pass_on) {
  PieceBuffer buffer(pass_on);
  std::ostream out(&buffer);
  out.exceptions(std::ios::badbit);  // what goes wrong below arrives above
  write(out);
  out.flush();
}

void write_to_descriptor(int descriptor, const std::string& name, const Write& write) {
  try {
    write_in_pieces(write, [&](std::string_view piece) {
      const int error = write_all(descriptor, piece);
      if (is_reader_gone(error)) throw ReaderGone();
      if (error != 0) throw incomplete(name, error);
    });
  } catch (const ReaderGone&) {
    // What was read is what was wanted.
  }
}

void write_to_device(const fs::path& path, const Write& write) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC);
  if (descriptor < 0) throw incomplete(path.string(), errno);
  const auto close = [](const int* open) { ::close(*open); };
  const std::unique_ptr<const int, decltype(close)> closed(&descriptor, close);
  write_to_descriptor(descriptor, path.string(), write);
}

void write_to_file(const fs::path& path, Access access, const Write& write) {
  OutputFile file(path, access);
  std::uint64_t size = 0;
  write_in_pieces(write, [&](std::string_view piece) {
    file.write(size, piece);
    size += piece.size();
  });
  file.finish(size);
}

// A file that the options name to be written, and what it may replace all the same.
struct Output {
  fs::path named;
  Exceptions exceptions;
};

Output main_output(const Options& options) {
  return {options.output.value_or(standard_output),
          {.profile = options.command == Command::Profile}};
}

Output extract(const Options& options, const fs::path& named) {
  return {named, {.new_configuration = named == options.configuration}};
}

std::vector<Output> all_outputs(const Options& options) {
  std::vector<Output> outputs = {main_output(options)};
  if (options.screenshot) outputs.push_back(extract(options, *options.screenshot));
  if (options.configuration) outputs.push_back(extract(options, *options.configuration));
  return outputs;
}

// What is in it is checked once the tickets are known.
void check_folder(const Options& options) {
  const OutputTarget folder = find_output_target(*options.output);
  if (!options.batch.gather) check_no_input(options, folder);
  check_names(folder);
}

// What the shell has opened as `target`, which is a descriptor. Its link in /proc tells the name.
void check_opened_names(OutputTarget target) {
  std::error_code error;
  if (!fs::is_regular_file(target.path, error)) return;
  target.names.push_back(fs::read_symlink(target.path, error).filename().string());
  check_names(target);
}

// One would replace the other, or both be mixed.
void check_different(const OutputTarget& target, const std::vector<OutputTarget>& others) {
  for (const OutputTarget& other : others) {
    if (target.is_special || other.path != target.path) continue;
    throw Error(Failure::Usage, fmt::format("{} and {}: expected a file for each output, found one",
                                            other.named.string(), target.named.string()));
  }
}

void write_to(const Options& options, const Output& output, Access access, const Write& write) {
  // Once more: what has been read is known now, and a link may lead elsewhere.
  const OutputTarget target = find_output_target(output.named);
  check_target(options, target, output.exceptions);
  if (target.descriptor) {
    write_to_descriptor(*target.descriptor, target.named.string(), write);
  } else if (target.is_special) {
    write_to_device(target.path, write);
  } else {
    write_to_file(target.path, access, write);
  }
}

}  // namespace

void check_standard_output(const Options& options) {
  const OutputTarget target = find_output_target(standard_output);
  check_target(options, target, {});
  check_opened_names(target);
}

void check_messages(const Options& options) {
  OutputTarget target = find_output_target(fmt::format("/proc/self/fd/{}", STDERR_FILENO));
  target.named = "the messages";
  try {
    std::error_code ignored;
    if (fs::is_regular_file(target.path, ignored)) check_no_input(options, target);
    check_opened_names(target);
  } catch (const Error&) {
    leave_standard_error();
    throw;
  }
}

void check_output(const Options& options) {
  const bool is_core = options.command == Command::Core;
  if (is_core || options.command == Command::Batch || options.all_kernels) {
    check_standard_output(options);
    return is_core ? check_core_folder(options) : check_folder(options);
  }
  std::vector<OutputTarget> targets;
  for (const Output& output : all_outputs(options)) {
    const OutputTarget target = find_output_target(output.named);
    check_target(options, target, output.exceptions);
    check_different(target, targets);
    targets.push_back(target);
  }
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw Error(Failure::Incomplete,
                fmt::format("{}: can't be made: {}", folder.string(), error.message()));
  }
}

void write_output(const Options& options, const Write& write) {
  write_to(options, main_output(options), Access::Public, write);
}

void write_extract(const Options& options, const fs::path& named,
                   std::span<const std::byte> content) {
  write_to(options, extract(options, named), Access::Private, [&](std::ostream& out) {
    out.write(reinterpret_cast<const char*>(content.data()),
              static_cast<std::streamsize>(content.size()));
  });
}

}  // namespace photon_dmesg
