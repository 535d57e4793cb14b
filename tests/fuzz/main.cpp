// One target as libFuzzer runs it: FUZZ_TARGET is its function.
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>

#include <array>
#include <csignal>

#include "fuzz/targets.h"

namespace {

// A process that a target starts, as libkdumpfile's, may die as it likes: its death is no find.
void be_no_fuzzer() {
  for (const int signal : std::array{SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGALRM}) {
    std::signal(signal, SIG_DFL);
  }
  __sanitizer_set_death_callback(nullptr);
}

}  // namespace

// Names and signatures are libFuzzer's.
extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  pthread_atfork(nullptr, nullptr, be_no_fuzzer);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  namespace fuzz = photon_dmesg::fuzz;
  fuzz::run(fuzz::FUZZ_TARGET, std::as_bytes(std::span(data, size)));
  return 0;
}
