// What has the program's name in a bundle (scripts/package): starts the program with the libraries
// that it was built with, and their loader, whichever the system has. It is static, so that it
// needs neither libraries nor a shell itself.
//   FOLDER/bin/photon-dmesg                     this
//   FOLDER/lib/photon-dmesg/photon-dmesg        the program, beside its libraries and their loader
//   FOLDER/lib/photon-dmesg/run/photon-dmesg    a link to the loader, under the name that ps shows
// Nothing goes through the environment: a pager would get libraries that are not its own.

#include <sys/auxv.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr int status_not_started = 127;  // as shells and the loader have it

// The path without links; empty if it leads nowhere.
std::string real_path(const char* path) {
  char* const found = ::realpath(path, nullptr);
  std::string result = found == nullptr ? "" : found;
  std::free(found);
  return result;
}

// Without the last part of the path.
std::string parent(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

// As the kernel was told it: all that there is where /proc is not mounted.
std::string name_at_start() {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the address of a string
  return real_path(reinterpret_cast<const char*>(::getauxval(AT_EXECFN)));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string itself = real_path("/proc/self/exe");
  const std::string folder =
      parent(parent(itself.empty() ? name_at_start() : itself)) + "/lib/photon-dmesg";
  std::string loader = folder + "/run/photon-dmesg";
  std::string program = folder + "/photon-dmesg";
  // The loader takes colons and semicolons in a name as its end, but knows its own folder by /proc.
  std::string libraries = itself.empty() ? folder : "$ORIGIN";
  std::string library_option = "--library-path";
  std::string name_option = "--argv0";
  std::string name = argc > 0 ? argv[0] : "photon-dmesg";
  std::vector<char*> words{loader.data(),      library_option.data(), libraries.data(),
                           name_option.data(), name.data(),           program.data()};
  for (int i = 1; i < argc; ++i) words.push_back(argv[i]);
  words.push_back(nullptr);
  ::execv(loader.c_str(), words.data());
  std::fprintf(stderr, "photon-dmesg: %s: can't be started: %s\n", loader.c_str(),
               std::strerror(errno));
  return status_not_started;
}
