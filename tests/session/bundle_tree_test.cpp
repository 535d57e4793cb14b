#include "session/bundle_tree.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <utility>

#include "support/archive_writer.h"
#include "support/bytes.h"
#include "support/errors.h"
#include "support/noise.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

namespace fs = std::filesystem;

// Each format, and what packs it as a whole.
const std::vector<std::pair<std::string, std::string>> formats = {
    {"tar", ""},      {"tar", "gzip"}, {"tar", "zstd"}, {"tar", "xz"},
    {"tar", "bzip2"}, {"pax", "gzip"}, {"zip", ""},     {"7zip", ""}};

std::string content(const ByteSource& file) {
  std::string text(file.size(), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(text)));
  return text;
}

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

// What 7-Zip makes of x.vmss with a password, which libarchive can't write: with its names to be
// read, and without (-mhe=on).
constexpr std::string_view encrypted_7z =
    "377abcaf271c0004530bcfac10000000000000006a000000000000001e9a81886c264ede0c09d5b217130ee0"
    "83053d390104060001091000070b0100022406f1070112530f6197a4e488bf4a9a5a24506c5c78e5bc212101"
    "0001000c060200080a011f08ea4600000501190100110f0078002e0076006d00730073000000190400000000"
    "140a010043a3ed62f97fdd01150601002080a4810000";
constexpr std::string_view encrypted_names_7z =
    "377abcaf271c00043b7b4e9f80000000000000002e00000000000000105b3ce6b2395688b04f26f72b5c7043"
    "684631f5127326879e2fbbba0e8a7eb21030bb301803a70046d5afdb217d9cfe0377aae14e40468865aa1989"
    "b980900171b7fac6f1c3e7d7d63257bfb3dedb2e6d569c92097733a4577c9cc0ea66ff6ed1ae98ab009b073b"
    "69defbf6be504e5e51c68c46f4ade8362d2d062ed59fba240157d94717061001097000070b0100012406f107"
    "0112530f62b649995ce520e3276be45b6f4051c70c6a0a01a48398910000";

// A bundle in a folder of its own, entered.
struct Entered {
  TemporaryFolder folder;
  fs::path bundle;
  CollectedDiagnostics diagnostics;
  BundleTree tree;

  explicit Entered(const std::string& bytes, const BundleLimits& limits = {},
                   ReadAhead ahead = ReadAhead::Memory)
      : bundle(folder.write("bundle", bytes)), tree(ahead, limits) {
    tree.enter(bundle, diagnostics);
  }

  std::string read(const std::string& path) {
    return content(*tree.open(bundle / path, diagnostics));
  }
  // Of all files, as paths in the bundle.
  std::vector<std::string> names() {
    std::vector<std::string> found;
    for (const fs::path& file : tree.files_below(bundle)) {
      found.push_back(file.lexically_relative(bundle).string());
    }
    return found;
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("BundleTree: every format is a folder, and its files read as they were packed") {
  const std::string memory = std::string(5'000'000, '\0') + noise(3'000'000) + std::string(9, 'x');
  const std::vector<ArchivedFile> files = {{"vm/vm.vmem", memory},
                                           {"vm/vm.vmss", "the checkpoint"},
                                           {"vm/vmware.log", ""},
                                           {"readme", "some text"}};
  for (const auto& [format, packing] : formats) {
    CAPTURE(format, packing);
    Entered entered(write_archive(files, format, packing));
    CHECK(entered.names() == Names{"readme", "vm/vm.vmem", "vm/vm.vmss", "vm/vmware.log"});
    for (const ArchivedFile& file : files) {
      CHECK(entered.read(file.path) == file.content);
      CHECK(entered.tree.changed(entered.bundle / file.path) == 1'700'000'000);
    }
    CHECK(entered.tree.is_folder(entered.bundle));
    CHECK(entered.tree.is_folder(entered.bundle / "vm"));
    CHECK(entered.tree.is_folder(entered.bundle / "vm/"));
    CHECK_FALSE(entered.tree.is_folder(entered.bundle / "v"));
    CHECK_FALSE(entered.tree.is_folder(entered.bundle / "vm/vm.vmss"));
    CHECK(entered.tree.files(entered.bundle) == std::vector{entered.bundle / "readme"});
    CHECK(entered.tree.files(entered.bundle / "vm/").size() == 3);
    CHECK(entered.tree.are_same(entered.bundle / "vm/./vm.vmss", entered.bundle / "vm/vm.vmss"));
    CHECK_FALSE(entered.tree.are_same(entered.bundle / "vm", entered.bundle / "vm/vm.vmss"));
    CHECK_FALSE(entered.tree.are_same(entered.bundle, entered.folder.path()));
    CHECK(entered.diagnostics.warnings().empty());
  }
}

TEST_CASE("BundleTree: a bundle in a bundle is a folder, one in that is named and refused") {
  const std::string deepest = write_archive({{"vm/deepest.vmss", "3"}}, "zip");
  const std::vector<ArchivedFile> inner = {{"vm/vm.vmss", "2"}, {"deep.zip", deepest}};
  const std::vector<std::pair<std::string, std::string>> inners = {
      {"inner.tgz", write_archive(inner, "tar", "gzip")},
      {"inner.tar", write_archive(inner, "tar")},
      {"inner.TAR.ZST", write_archive(inner, "tar", "zstd")},
      {"inner.zip", write_archive(inner, "zip")},
      {"inner.7z", write_archive(inner, "7zip")}};
  for (const auto& [format, packing] : formats) {
    for (const auto& [name, bytes] : inners) {
      CAPTURE(format, packing, name);
      Entered entered(write_archive({{"a/" + name, bytes}, {"vm.vmss", "1"}}, format, packing));
      CHECK(entered.names() == Names{"a/" + name + "/vm/vm.vmss", "vm.vmss"});
      CHECK(entered.read("a/" + name + "/vm/vm.vmss") == "2");
      CHECK(entered.read("vm.vmss") == "1");
      CHECK(entered.tree.too_deep(entered.bundle) ==
            std::vector{entered.bundle / "a" / name / "deep.zip"});
      const std::string deepest = "a/" + name + "/deep.zip/vm/deepest.vmss";
      check_fails(Failure::UnusableInput, "deep.zip: this is a bundle in a bundle in a bundle",
                  [&] { (void)entered.read(deepest); });
      CHECK(entered.diagnostics.warnings().empty());
    }
  }
}

TEST_CASE("BundleTree: what is called a bundle and is none is a file") {
  Entered entered(write_archive({{"a.zip", "no archive"}, {"b.tgz", ""}}, "tar", "gzip"));
  CHECK(entered.names() == Names{"a.zip", "b.tgz"});
  CHECK(entered.read("a.zip") == "no archive");
  CHECK(entered.read("b.tgz").empty());
}

TEST_CASE("BundleTree: a bundle in a bundle that is damaged costs no more than itself") {
  const std::string inner = write_archive({{"x", noise(5000)}, {"y", noise(5000)}}, "tar", "gzip");
  Entered entered(
      write_archive({{"a.tgz", inner.substr(0, inner.size() / 2)}, {"b", "whole"}}, "tar", "gzip"));
  CHECK(entered.read("b") == "whole");
  REQUIRE(entered.diagnostics.warnings().size() == 1);
  CHECK_THAT(entered.diagnostics.warnings().front(), Catch::Contains("bundle: a.tgz"));
}

TEST_CASE("BundleTree: names are paths from the top, and none leads out of the bundle") {
  for (const auto& [format, packing] : formats) {
    CAPTURE(format, packing);
    Entered entered(write_archive({{"./a/./b", "1"},
                                   {"/etc//passwd", "2"},
                                   {"../outside", "3"},
                                   {"a/../../outside", "4"},
                                   {"\x1b[31mred\n", "5"},
                                   {"a/..b", "6"}},
                                  format, packing));
    CHECK(entered.names() == Names{"\x1b[31mred\n", "a/..b", "a/b", "etc/passwd"});
    CHECK(entered.read("etc/passwd") == "2");
    CHECK(entered.read("\x1b[31mred\n") == "5");
    REQUIRE(entered.diagnostics.warnings().size() == 1);
    CHECK_THAT(entered.diagnostics.warnings().front(),
               Catch::Contains("that have no name, or one that leads out of it, are not used: 2"));
    for (const char* path : {"../outside", "a/../a/b", "..", "absent"}) {
      check_fails(Failure::UnusableInput, "expected a file", [&] { (void)entered.read(path); });
    }
  }
}

TEST_CASE("BundleTree: symbolic links and devices are no files, and are not followed") {
  const auto link = [](archive_entry* entry) {
    archive_entry_set_size(entry, 0);
    archive_entry_set_filetype(entry, AE_IFLNK);
    archive_entry_set_symlink(entry, "/etc/passwd");
  };
  const auto device = [](archive_entry* entry) {
    archive_entry_set_size(entry, 0);
    archive_entry_set_filetype(entry, AE_IFBLK);
  };
  for (const char* packing : {"", "gzip"}) {
    Entered entered(write_archive(
        {{"file", "1"}, {"vm/vm.vmem", "", link}, {"vm/link", "", link}, {"disk", "", device}},
        "tar", packing));
    CHECK(entered.names() == Names{"file"});
    CHECK(entered.tree.links_below(entered.bundle / "vm") ==
          std::vector{entered.bundle / "vm/link", entered.bundle / "vm/vm.vmem"});
    check_fails(Failure::UnusableInput, "bundle/vm/link: this is a link in a bundle, which is not",
                [&] { (void)entered.read("vm/link"); });
    REQUIRE(entered.diagnostics.warnings().size() == 1);
    CHECK_THAT(entered.diagnostics.warnings().front(),
               Catch::EndsWith("bundle: links in a bundle are not followed, such as vm/vm.vmem"));
  }
}

TEST_CASE("BundleTree: a file with several hard links is there by each of their names") {
  const auto link_to = [](const char* file) {
    return [file](archive_entry* entry) {
      archive_entry_set_size(entry, 0);
      archive_entry_set_hardlink(entry, file);
    };
  };
  const std::vector<ArchivedFile> files = {{"day1/vm.vmem", "content"},
                                           {"day2/vm.vmem", "", link_to("./day1/vm.vmem")},
                                           {"day3/vm.vmem", "", link_to("day1/vm.vmem")},
                                           {"lost", "", link_to("absent")},
                                           {"outside", "", link_to("../file")}};
  for (const char* packing : {"", "gzip"}) {
    Entered entered(write_archive(files, "tar", packing));
    CHECK(entered.names() == Names{"day1/vm.vmem", "day2/vm.vmem", "day3/vm.vmem"});
    for (const char* name : {"day2/vm.vmem", "day1/vm.vmem", "day3/vm.vmem"}) {
      CHECK(entered.read(name) == "content");
      CHECK(entered.tree.open(entered.bundle / name, entered.diagnostics)->name() ==
            entered.bundle / name);
    }
    for (const char* name : {"lost", "outside"}) {
      check_fails(Failure::UnusableInput, "this is a link", [&] { (void)entered.read(name); });
    }
  }
  Entered nested(write_archive({{"in.tgz", write_archive(files, "tar", "gzip")}}, "zip"));
  CHECK(nested.read("in.tgz/day2/vm.vmem") == "content");
}

TEST_CASE("BundleTree: of several files with one path, the last counts, as if it were unpacked") {
  for (const auto& packing : {"", "gzip"}) {
    Entered entered(
        write_archive({{"vm.vmss", "first"}, {"other", "2"}, {"vm.vmss", "last"}}, "tar", packing));
    CHECK(entered.names() == Names{"other", "vm.vmss"});
    CHECK(entered.read("vm.vmss") == "last");
  }
}

TEST_CASE("BundleTree: a file with holes reads as zeros where they are") {
  const auto sparse = [](archive_entry* entry) {
    archive_entry_set_size(entry, 9'000'000);
    archive_entry_sparse_add_entry(entry, 3'000'000, 3);
    archive_entry_sparse_add_entry(entry, 7'000'000, 4);
  };
  std::string expected(9'000'000, '\0');
  expected.replace(3'000'000, 3, "abc");
  expected.replace(7'000'000, 4, "defg");
  for (const auto& packing : {"", "gzip"}) {
    Entered entered(write_archive({{"vm.vmem", expected, sparse}, {"next", "1"}}, "pax", packing));
    CHECK(entered.read("vm.vmem") == expected);
    CHECK(entered.read("next") == "1");
  }
}

TEST_CASE("BundleTree: an encrypted file is listed, named and refused") {
  Entered entered(write_archive({{"vm.vmss", "secret"}}, "zip", "", "password"));
  CHECK(entered.names() == Names{"vm.vmss"});
  check_fails(Failure::UnusableInput, "bundle/vm.vmss: it is encrypted: unpack the bundle with its",
              [&] { (void)entered.read("vm.vmss"); });
  Entered seven(bytes_of(encrypted_7z));
  check_fails(Failure::UnusableInput, "bundle/x.vmss: it is encrypted: unpack the bundle with its",
              [&] { (void)seven.read("x.vmss"); });
  check_fails(Failure::UnusableInput, "bundle: it is encrypted: unpack it with its password",
              [&] { (void)Entered(bytes_of(encrypted_names_7z)); });
}

TEST_CASE("BundleTree: of a bundle that is cut anywhere, what is whole is used and the rest said") {
  const std::vector<ArchivedFile> files = {
      {"a.vmss", noise(3000)}, {"b.vmss", noise(3000)}, {"c.vmss", noise(3000)}};
  for (const auto& [format, packing] : formats) {
    const std::string whole = write_archive(files, format, packing);
    std::size_t read = 0;
    for (std::size_t length = 300; length < whole.size(); length += 97) {
      CAPTURE(format, packing, length);
      Entered* entered = nullptr;
      try {
        entered = new Entered(whole.substr(0, length));
      } catch (const Error& error) {
        CHECK(error.failure() == Failure::UnusableInput);
        continue;
      }
      const std::unique_ptr<Entered> owner(entered);
      for (const ArchivedFile& file : files) {
        try {
          const std::string found = entered->read(file.path);
          CHECK(file.content.starts_with(found));
          read += found == file.content ? 1 : 0;
          if (found != file.content) CHECK_FALSE(entered->diagnostics.warnings().empty());
        } catch (const Error& error) {
          CHECK_THAT(error.what(), Catch::Contains("bundle"));
        }
      }
    }
    // Zip and 7z say at their end what they hold, xz and bzip2 unpack in blocks.
    if (format == "tar" && (packing.empty() || packing == "gzip")) CHECK(read > 0);
  }
}

TEST_CASE("BundleTree: content that its checksum belies is said to be damaged") {
  for (const auto& [format, packing] : {std::pair{"zip", ""}, {"7zip", ""}, {"tar", "gzip"}}) {
    CAPTURE(format, packing);
    const std::string text = noise(600'000);
    std::string bytes = write_archive({{"a.vmss", text}}, format, packing);
    // In the content, or in gzip's own checksum.
    bytes[format == std::string("tar") ? bytes.size() - 6 : 1500] ^= 1;
    Entered entered(bytes);
    (void)entered.read("a.vmss");
    REQUIRE(entered.diagnostics.warnings().size() == 1);
    CHECK_THAT(entered.diagnostics.warnings().front(),
               Catch::Contains("bundle: ") && Catch::Contains("what comes before that is used"));
  }
}

TEST_CASE("BundleTree: what a bundle counts is bounded, and said where it is not read further") {
  std::vector<ArchivedFile> files;
  for (int i = 0; i < 100; ++i) files.push_back({"file" + std::to_string(i), "1"});
  for (const auto& [format, packing] : formats) {
    CAPTURE(format, packing);
    const std::string bytes = write_archive(files, format, packing);
    Entered few(bytes, {.members = 10});
    CHECK(few.names().size() == 10);
    REQUIRE(few.diagnostics.warnings().size() == 1);
    CHECK_THAT(few.diagnostics.warnings().front(),
               Catch::Contains("more than 10 members: the rest is left out"));
    Entered shortly(bytes, {.name_bytes = 50});
    CHECK(shortly.names().size() == 10);  // "file0" to "file9"
  }
}

TEST_CASE("BundleTree: what unpacks to more than is needed ends the listing, in no memory") {
  const std::string zeros(30'000'000, '\0');
  for (const auto& [format, packing] :
       {std::pair{"tar", "gzip"}, {"tar", "zstd"}, {"tar", "xz"}, {"7zip", ""}}) {
    CAPTURE(format, packing);
    const std::string bytes =
        write_archive({{"first", "1"}, {"bomb", zeros}, {"last", "1"}}, format, packing);
    Entered entered(bytes, {.passed_bytes = 1'000'000, .passed_times = 2});
    CHECK(entered.names() == Names{"bomb", "first"});
    REQUIRE(entered.diagnostics.warnings().size() == 1);
    CHECK_THAT(entered.diagnostics.warnings().front(),
               Catch::Contains("bytes that are not needed: the rest is left out"));
    Entered whole(bytes, {.passed_bytes = 31'000'000, .passed_times = 2});
    CHECK(whole.names() == Names{"bomb", "first", "last"});
    CHECK(whole.diagnostics.warnings().empty());
  }
}

TEST_CASE("BundleTree: what is read of a bundle takes no more memory than the limits") {
  const std::string bytes = write_archive(
      {{"a.vmem", noise(8'000'000)}, {"b.vmem", std::string(50'000'000, '\0')}}, "tar", "gzip");
  BundleLimits limits;
  limits.spool = {.kept = 3'000'000, .unpacked = 40'000'000};
  Entered entered(bytes, limits);
  check_fails(Failure::UnusableInput, "bundle/a.vmem: what it unpacks to takes more than 3000000",
              [&] { (void)entered.read("a.vmem"); });
  check_fails(Failure::UnusableInput, "bundle/b.vmem: it unpacks to more than 40000000 bytes",
              [&] { (void)entered.read("b.vmem"); });
}

TEST_CASE("BundleTree: what nobody holds makes way for what is asked for next") {
  const std::string bytes =
      write_archive({{"a.vmem", noise(3'000'000)}, {"b.vmem", noise(3'000'000)}}, "zip");
  BundleLimits limits;
  limits.spool.kept = 5'000'000;
  Entered entered(bytes, limits);
  CHECK(entered.read("a.vmem").size() == 3'000'000);
  const auto held = entered.tree.open(entered.bundle / "b.vmem", entered.diagnostics);
  check_fails(Failure::UnusableInput, "takes more than", [&] { (void)entered.read("a.vmem"); });
}

TEST_CASE("BundleTree: nothing is entered that is no bundle") {
  Entered entered("no bundle");
  CHECK_FALSE(entered.tree.is_bundled(entered.bundle));
  CHECK_FALSE(entered.tree.is_folder(entered.bundle));
  CHECK(entered.tree.is_folder(entered.folder.path()));
  CHECK(entered.tree.files(entered.folder.path()) == std::vector{entered.bundle});
  CHECK(content(*entered.tree.open(entered.bundle, entered.diagnostics)) == "no bundle");
  check_fails(Failure::UnusableInput, "can't be opened", [&] { (void)entered.read("x"); });
}

TEST_CASE("file_on_the_way: the longest part of a path that is a file") {
  const TemporaryFolder folder;
  const fs::path file = folder.write("file", "");
  CHECK(file_on_the_way(file) == file);
  CHECK(file_on_the_way(file / "a/b/c") == file);
  CHECK(file_on_the_way(file / "") == file);
  CHECK_FALSE(file_on_the_way(folder.path()));
  CHECK_FALSE(file_on_the_way(folder.path() / "absent/x"));
  CHECK_FALSE(file_on_the_way("/"));
  CHECK_FALSE(file_on_the_way("absent"));
  CHECK_FALSE(file_on_the_way(""));
}

}  // namespace photon_dmesg::test
