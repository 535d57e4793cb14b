#pragma once

#include <unistd.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

#include "support/file_content.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {

// What `work` writes to stderr. It is no terminal meanwhile.
template <typename Work>
std::string captured_stderr(Work&& work) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "stderr";
  std::fflush(stderr);
  const int saved = ::dup(STDERR_FILENO);
  if (saved < 0) throw std::runtime_error("dup");
  const auto restore = [](const int* descriptor) {
    std::fflush(stderr);
    ::dup2(*descriptor, STDERR_FILENO);
    ::close(*descriptor);
  };
  {
    const std::unique_ptr<const int, decltype(restore)> restored(&saved, restore);
    const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "w"), std::fclose);
    if (!file || ::dup2(::fileno(file.get()), STDERR_FILENO) < 0) throw std::runtime_error("dup2");
    std::forward<Work>(work)();
  }
  return file_content(path);
}

}  // namespace photon_dmesg::test
