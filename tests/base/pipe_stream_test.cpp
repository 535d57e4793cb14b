#include "base/pipe_stream.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "support/errors.h"
#include "support/short_stream.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

// A named pipe that somebody writes `content` to.
class Pipe {
 public:
  explicit Pipe(std::string content) : content_(std::move(content)) {
    REQUIRE(::mkfifo(path().c_str(), 0600) == 0);
    writer_ = std::thread([this] { std::ofstream(path(), std::ios::binary) << content_; });
  }
  ~Pipe() { writer_.join(); }

  [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "pipe"; }

 private:
  TemporaryFolder folder_;
  std::string content_;
  std::thread writer_;
};

}  // namespace

TEST_CASE("PipeStream: what was looked at first is given again, then the rest") {
  const std::string text = std::string(300'000, 'a') + "end";
  const Pipe pipe(text);
  CHECK(is_pipe(pipe.path()));
  PipeStream stream(pipe.path());
  CHECK(as_text(stream.peek(70'000)) == text.substr(0, 70'000));
  CHECK(read_all(stream) == text);
}

TEST_CASE("PipeStream: shorter than what is looked for") {
  const Pipe pipe("abc");
  PipeStream stream(pipe.path());
  CHECK(as_text(stream.peek(10)) == "abc");
  CHECK(read_all(stream) == "abc");
}

TEST_CASE("is_pipe: standard input is one, files and folders are not") {
  const TemporaryFolder folder;
  CHECK(is_pipe("-"));
  CHECK_FALSE(is_pipe(folder.path()));
  CHECK_FALSE(is_pipe(folder.write("file", "x")));
  CHECK_FALSE(is_pipe(folder.path() / "absent"));
}

}  // namespace photon_dmesg::test
