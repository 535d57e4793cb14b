#pragma once

#include <elfutils/libdw.h>
#include <gelf.h>
#include <libelf.h>

#include "base/shared_library.h"

namespace photon_dmesg {

// The functions of libdw, and of libelf that it needs, that this program calls, under their own
// names. The program is linked with neither: a call that goes past this table does not link.
class Elfutils {
  SharedLibrary library_;

 public:
  // Throws Error(UnusableInput) if the library can't be loaded or lacks one of the functions.
  Elfutils();

  // ELF.
  decltype(&::elf_compress) elf_compress = library_.function("elf_compress");
  decltype(&::elf_end) elf_end = library_.function("elf_end");
  decltype(&::elf_errmsg) elf_errmsg = library_.function("elf_errmsg");
  decltype(&::elf_getdata) elf_getdata = library_.function("elf_getdata");
  decltype(&::elf_getscn) elf_getscn = library_.function("elf_getscn");
  decltype(&::elf_getshdrstrndx) elf_getshdrstrndx = library_.function("elf_getshdrstrndx");
  decltype(&::elf_kind) elf_kind = library_.function("elf_kind");
  decltype(&::elf_memory) elf_memory = library_.function("elf_memory");
  decltype(&::elf_nextscn) elf_nextscn = library_.function("elf_nextscn");
  decltype(&::elf_rawdata) elf_rawdata = library_.function("elf_rawdata");
  decltype(&::elf_rawfile) elf_rawfile = library_.function("elf_rawfile");
  decltype(&::elf_strptr) elf_strptr = library_.function("elf_strptr");
  decltype(&::elf_version) elf_version = library_.function("elf_version");
  decltype(&::gelf_getclass) gelf_getclass = library_.function("gelf_getclass");
  decltype(&::gelf_getehdr) gelf_getehdr = library_.function("gelf_getehdr");
  decltype(&::gelf_getshdr) gelf_getshdr = library_.function("gelf_getshdr");

  // DWARF.
  decltype(&::dwarf_aggregate_size) dwarf_aggregate_size =
      library_.function("dwarf_aggregate_size");
  decltype(&::dwarf_attr) dwarf_attr = library_.function("dwarf_attr");
  decltype(&::dwarf_begin_elf) dwarf_begin_elf = library_.function("dwarf_begin_elf");
  decltype(&::dwarf_child) dwarf_child = library_.function("dwarf_child");
  decltype(&::dwarf_diename) dwarf_diename = library_.function("dwarf_diename");
  decltype(&::dwarf_end) dwarf_end = library_.function("dwarf_end");
  decltype(&::dwarf_errmsg) dwarf_errmsg = library_.function("dwarf_errmsg");
  decltype(&::dwarf_filesrc) dwarf_filesrc = library_.function("dwarf_filesrc");
  decltype(&::dwarf_formref_die) dwarf_formref_die = library_.function("dwarf_formref_die");
  decltype(&::dwarf_formstring) dwarf_formstring = library_.function("dwarf_formstring");
  decltype(&::dwarf_formudata) dwarf_formudata = library_.function("dwarf_formudata");
  decltype(&::dwarf_get_units) dwarf_get_units = library_.function("dwarf_get_units");
  decltype(&::dwarf_getlocation) dwarf_getlocation = library_.function("dwarf_getlocation");
  decltype(&::dwarf_getsrcfiles) dwarf_getsrcfiles = library_.function("dwarf_getsrcfiles");
  decltype(&::dwarf_getsrclines) dwarf_getsrclines = library_.function("dwarf_getsrclines");
  decltype(&::dwarf_hasattr) dwarf_hasattr = library_.function("dwarf_hasattr");
  decltype(&::dwarf_lineaddr) dwarf_lineaddr = library_.function("dwarf_lineaddr");
  decltype(&::dwarf_lineendsequence) dwarf_lineendsequence =
      library_.function("dwarf_lineendsequence");
  decltype(&::dwarf_lineno) dwarf_lineno = library_.function("dwarf_lineno");
  decltype(&::dwarf_linesrc) dwarf_linesrc = library_.function("dwarf_linesrc");
  decltype(&::dwarf_next_cfi) dwarf_next_cfi = library_.function("dwarf_next_cfi");
  decltype(&::dwarf_onesrcline) dwarf_onesrcline = library_.function("dwarf_onesrcline");
  decltype(&::dwarf_ranges) dwarf_ranges = library_.function("dwarf_ranges");
  decltype(&::dwarf_siblingof) dwarf_siblingof = library_.function("dwarf_siblingof");
  decltype(&::dwarf_tag) dwarf_tag = library_.function("dwarf_tag");
  decltype(&::dwarf_whatform) dwarf_whatform = library_.function("dwarf_whatform");
};

// Loads libdw when it is first called, and throws as its constructor does, each time that it can't.
// Any thread may call it. Here, since walks through debug information call it millions of times.
[[nodiscard]] inline const Elfutils& elfutils() {
  static const Elfutils library;
  return library;
}

}  // namespace photon_dmesg
