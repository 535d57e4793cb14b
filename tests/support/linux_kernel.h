#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "kernel/symbols/vmlinux/elf_image.h"
#include "support/file_content.h"
#include "support/kallsyms_writer.h"

namespace photon_dmesg::test {

// A kernel of the tests with the table that Linux's build puts into it; `moved` shifts the
// addresses in it.
inline std::string kernel_with_kallsyms(const std::filesystem::path& path,
                                        std::uint64_t moved = 0) {
  const ElfImage image(path);
  const std::uint64_t begin = image.find_symbol("_stext")->value;
  const std::uint64_t function = image.find_symbol("do_syslog")->value + moved;
  std::vector<KallsymsSample> symbols = {{'T', begin, "_stext"}};
  for (unsigned i = 0; i < 600; ++i) {
    symbols.push_back({'t', begin, "function_" + std::to_string(i)});
  }
  symbols.push_back({'T', function, "do_syslog"});
  if (const auto other = image.find_symbol("schedule")) {
    symbols.push_back({'T', other->value, "schedule"});
  }
  const auto& absolute = kallsyms_forms[0];
  const std::string table =
      KallsymsWriter(absolute, symbols, *image.find_symbol("kallsyms_space")).write("");
  std::string content = file_content(path);
  const std::size_t space = content.find("room for kallsyms");
  REQUIRE(space != std::string::npos);
  REQUIRE(table.size() < 65536);
  return content.replace(space, table.size(), table);
}

}  // namespace photon_dmesg::test
