// What AddressSanitizer is told at the start of every program that is built with it.

// What a thread holds of an opened library, AddressSanitizer finds by a guess at how glibc 2.19
// laid it out. The guess is wrong where that memory begins a page, which is a matter of timing with
// several threads, and the leak check at the end then reads at a senseless address: "Tracer caught
// signal 11", with all tests passed. Nothing is missed without it: glibc has that memory from
// malloc, and knows it by a pointer in the thread.
extern "C" const char* __asan_default_options();   // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __asan_default_options() {  // NOLINT(bugprone-reserved-identifier)
  return "intercept_tls_get_addr=0";
}
