#include "checkpoint/dumps/kdump_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <limits>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "checkpoint/dumps/libkdumpfile.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t longest_reason = 1 << 12;  // bytes

struct Question {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
};

// What the library's process says: how it went, and how many bytes follow.
struct AnswerHead {
  std::int32_t status = KDUMP_OK;
  std::uint64_t size = 0;
};

bool send_all(int socket, const void* data, std::size_t size) {
  const auto* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t count = ::send(socket, at, size, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    at += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

bool receive_all(int socket, void* data, std::size_t size) {
  auto* at = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t count = ::recv(socket, at, size, MSG_WAITALL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    at += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

// The other side: everything here runs in the library's process.
class Server {
 public:
  explicit Server(int socket) : socket_(socket), context_(library_.kdump_new()) {}

  void run(const std::vector<int>& descriptors) {
    kdump_status status = library_.kdump_open_fdset(
        context_, static_cast<unsigned>(descriptors.size()), descriptors.data());
    kdump_attr_t map{};
    map.type = KDUMP_BITMAP;
    if (status == KDUMP_OK) {
      status = library_.kdump_get_typed_attr(context_, KDUMP_ATTR_FILE_PAGEMAP, &map);
    }
    kdump_attr_t page{};  // bytes of what the map counts: arm64's may be larger than 4096
    page.type = KDUMP_NUMBER;
    if (status == KDUMP_OK) {
      status = library_.kdump_get_typed_attr(context_, KDUMP_ATTR_PAGE_SIZE, &page);
    }
    if (status != KDUMP_OK) {
      send_reason(status);
      return;
    }
    send_ranges(map.val.bitmap, page.val.number);
    Question question;
    while (receive_all(socket_, &question, sizeof(question))) answer(question);
  }

 private:
  void send_ranges(kdump_bmp_t* map, std::uint64_t page) const {
    std::vector<PhysicalRange> ranges;
    kdump_addr_t begin = 0;
    while (ranges.size() <= KdumpProcess::most_ranges &&
           library_.kdump_bmp_find_set(map, &begin) == KDUMP_OK) {
      kdump_addr_t end = begin;
      if (library_.kdump_bmp_find_clear(map, &end) != KDUMP_OK || end <= begin) break;
      ranges.push_back({{begin * page}, (end - begin) * page});
      begin = end;
    }
    send(KDUMP_OK, ranges.data(), ranges.size() * sizeof(PhysicalRange));
  }

  void answer(const Question& question) {
    buffer_.resize(question.size);
    std::size_t size = question.size;
    const kdump_status status =
        library_.kdump_read(context_, KDUMP_MACHPHYSADDR, question.address, buffer_.data(), &size);
    if (status == KDUMP_OK) {
      send(status, buffer_.data(), buffer_.size());
    } else {
      send_reason(status);
    }
  }

  void send_reason(kdump_status status) const {
    const std::string reason = library_.kdump_get_err(context_);
    send(status, reason.data(), std::min<std::size_t>(reason.size(), longest_reason));
  }

  void send(kdump_status status, const void* data, std::size_t size) const {
    const AnswerHead head{static_cast<std::int32_t>(status), size};
    if (!send_all(socket_, &head, sizeof(head)) || !send_all(socket_, data, size)) ::_exit(0);
  }

  const Libkdumpfile& library_ = libkdumpfile();
  int socket_;
  kdump_ctx_t* context_;
  std::vector<std::byte> buffer_;
};

// What a damaged header says there is must not take the machine's memory: the library asks for maps
// of it before it looks whether there can be so much. An honest dump's maps are in its files.
void bound_memory(const std::vector<int>& descriptors) {
  rlim_t most_more = rlim_t{1} << 30;
  for (const int descriptor : descriptors) {
    struct stat file {};
    if (::fstat(descriptor, &file) == 0) most_more += static_cast<rlim_t>(file.st_size);
  }
  std::ifstream statm("/proc/self/statm");
  std::array<rlim_t, 6> pages{};  // the last is what RLIMIT_DATA counts
  for (rlim_t& number : pages) statm >> number;
  const auto page = static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
  const rlimit limit{pages.back() * page + most_more, pages.back() * page + most_more};
  if (statm) ::setrlimit(RLIMIT_DATA, &limit);
}

// Never returns, and never runs what the program would do at its end.
[[noreturn]] void serve(int socket, const std::vector<int>& descriptors) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // What the C library says of a broken heap is not for the user.
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  ::dup2(nowhere, STDERR_FILENO);
  try {
    bound_memory(descriptors);
    Server(socket).run(descriptors);
  } catch (...) {
    ::_exit(1);
  }
  ::_exit(0);
}

}  // namespace

struct KdumpProcess::Answer {
  AnswerHead head;
  std::string reason;  // unless all is well
};

KdumpProcess::KdumpProcess(const std::vector<std::shared_ptr<const ByteSource>>& files,
                           std::string name)
    : name_(std::move(name)) {
  descriptors_.reserve(files.size());
  for (const std::shared_ptr<const ByteSource>& file : files) {
    descriptors_.push_back(*file->descriptor());
  }
  // Here, where it can be said that there is none, and once for all processes.
  with_context(name_, [] { (void)libkdumpfile(); });
  start();
  try {
    ranges_ = receive_ranges();
  } catch (...) {
    // No destructor runs for an object that was never whole.
    end();
    throw;
  }
}

void KdumpProcess::start() const {
  std::array<int, 2> sockets{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
    fail(std::generic_category().message(errno));
  }
  process_ = ::fork();
  if (process_ == 0) {
    ::close(sockets[0]);
    serve(sockets[1], descriptors_);
  }
  ::close(sockets[1]);
  socket_ = sockets[0];
  ++starts_;
  if (process_ >= 0) return;
  end();
  fail("no process for libkdumpfile");
}

std::vector<PhysicalRange> KdumpProcess::receive_ranges() const {
  const Answer answer = receive_answer();
  if (answer.head.status != KDUMP_OK) fail(answer.reason);
  if (answer.head.size > (most_ranges + 1) * sizeof(PhysicalRange))
    fail("too many ranges of memory");
  std::vector<PhysicalRange> ranges(answer.head.size / sizeof(PhysicalRange));
  receive(std::as_writable_bytes(std::span(ranges)));
  return ranges;
}

KdumpProcess::~KdumpProcess() {
  end();
}

// Closing alone would not reach the child while that of another dump, forked since, holds a copy of
// the socket.
void KdumpProcess::end() const {
  if (socket_ >= 0) {
    ::shutdown(socket_, SHUT_RDWR);
    ::close(std::exchange(socket_, -1));
  }
  if (process_ > 0) ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

// It may have died of the last question.
void KdumpProcess::require_process() const {
  constexpr int most_starts = 64;  // a file that is damaged all over is not worth more
  if (process_ > 0) return;
  if (starts_ >= most_starts) fail("libkdumpfile has crashed on it again and again");
  start();
  (void)receive_ranges();
}

bool KdumpProcess::read(GuestPhysical address, std::span<std::byte> target) const {
  const std::lock_guard lock(mutex_);
  require_process();
  // The other side keeps room for the most that it was asked for at once.
  constexpr std::size_t most = std::size_t{2} * 1024 * 1024;
  while (!target.empty()) {
    const std::span<std::byte> part = target.first(std::min(target.size(), most));
    if (!ask(address, part)) return false;
    address = address + part.size();
    target = target.subspan(part.size());
  }
  return true;
}

bool KdumpProcess::ask(GuestPhysical address, std::span<std::byte> target) const {
  const Question question{address.value, target.size()};
  if (!send_all(socket_, &question, sizeof(question))) {
    end();
    fail("libkdumpfile has crashed on it");
  }
  const Answer answer = receive_answer();
  if (answer.head.status == KDUMP_ERR_NODATA) return false;
  if (answer.head.status == KDUMP_OK && answer.head.size != target.size()) end();  // out of step
  if (answer.head.status != KDUMP_OK || answer.head.size != target.size()) {
    fail(fmt::format("reading {} bytes at physical {} failed: {}", target.size(), address,
                     answer.reason));
  }
  receive(target);
  return true;
}

KdumpProcess::Answer KdumpProcess::receive_answer() const {
  Answer answer;
  receive(std::as_writable_bytes(std::span(&answer.head, 1)));
  if (answer.head.status == KDUMP_OK) return answer;
  answer.reason.resize(std::min(answer.head.size, longest_reason));
  receive(std::as_writable_bytes(std::span(answer.reason)));
  return answer;
}

void KdumpProcess::receive(std::span<std::byte> target) const {
  if (!receive_all(socket_, target.data(), target.size())) {
    end();
    fail("libkdumpfile has crashed on it: the file is damaged");
  }
}

void KdumpProcess::fail(const std::string& reason) const {
  throw unusable(fmt::format("{}: {}", name_, reason));
}

}  // namespace photon_dmesg
