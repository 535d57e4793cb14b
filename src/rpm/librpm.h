#pragma once

#include <rpm/header.h>
#include <rpm/rpmfileutil.h>
#include <rpm/rpmkeyring.h>
#include <rpm/rpmlib.h>
#include <rpm/rpmlog.h>
#include <rpm/rpmpgp.h>  // digests too; they have a header of their own since rpm 4.17 only
#include <rpm/rpmtag.h>
#include <rpm/rpmtd.h>
#include <rpm/rpmts.h>

#include "base/shared_library.h"

namespace photon_dmesg {

// The functions of librpm that this program calls, under their own names. The program is not linked
// with librpm: a call that goes past this table does not link.
class Librpm {
  SharedLibrary library_;

 public:
  // Throws Error(UnusableInput) if the library can't be loaded or lacks one of the functions.
  Librpm();

  // Headers of packages.
  decltype(&::headerFree) headerFree = library_.function("headerFree");
  decltype(&::headerGet) headerGet = library_.function("headerGet");
  decltype(&::headerImport) headerImport = library_.function("headerImport");
  decltype(&::rpmtdClass) rpmtdClass = library_.function("rpmtdClass");
  decltype(&::rpmtdCount) rpmtdCount = library_.function("rpmtdCount");
  decltype(&::rpmtdFree) rpmtdFree = library_.function("rpmtdFree");
  decltype(&::rpmtdFreeData) rpmtdFreeData = library_.function("rpmtdFreeData");
  decltype(&::rpmtdGetNumber) rpmtdGetNumber = library_.function("rpmtdGetNumber");
  decltype(&::rpmtdGetString) rpmtdGetString = library_.function("rpmtdGetString");
  decltype(&::rpmtdNew) rpmtdNew = library_.function("rpmtdNew");
  decltype(&::rpmtdSetIndex) rpmtdSetIndex = library_.function("rpmtdSetIndex");

  // Digests and signatures.
  decltype(&::pgpDigParamsAlgo) pgpDigParamsAlgo = library_.function("pgpDigParamsAlgo");
  decltype(&::pgpDigParamsFree) pgpDigParamsFree = library_.function("pgpDigParamsFree");
  decltype(&::pgpIdentItem) pgpIdentItem = library_.function("pgpIdentItem");
  decltype(&::pgpPrtParams) pgpPrtParams = library_.function("pgpPrtParams");
  decltype(&::rpmDigestFinal) rpmDigestFinal = library_.function("rpmDigestFinal");
  decltype(&::rpmDigestInit) rpmDigestInit = library_.function("rpmDigestInit");
  decltype(&::rpmDigestUpdate) rpmDigestUpdate = library_.function("rpmDigestUpdate");
  decltype(&::rpmInitCrypto) rpmInitCrypto = library_.function("rpmInitCrypto");

  // Public keys, and the host's database of them.
  decltype(&::rpmGetPath) rpmGetPath = library_.function("rpmGetPath");
  decltype(&::rpmGetSubkeys) rpmGetSubkeys = library_.function("rpmGetSubkeys");
  decltype(&::rpmKeyringAddKey) rpmKeyringAddKey = library_.function("rpmKeyringAddKey");
  decltype(&::rpmKeyringFree) rpmKeyringFree = library_.function("rpmKeyringFree");
  decltype(&::rpmKeyringNew) rpmKeyringNew = library_.function("rpmKeyringNew");
  decltype(&::rpmKeyringVerifySig) rpmKeyringVerifySig = library_.function("rpmKeyringVerifySig");
  decltype(&::rpmlogSetCallback) rpmlogSetCallback = library_.function("rpmlogSetCallback");
  decltype(&::rpmPubkeyFree) rpmPubkeyFree = library_.function("rpmPubkeyFree");
  decltype(&::rpmPubkeyRead) rpmPubkeyRead = library_.function("rpmPubkeyRead");
  decltype(&::rpmReadConfigFiles) rpmReadConfigFiles = library_.function("rpmReadConfigFiles");
  decltype(&::rpmtsCreate) rpmtsCreate = library_.function("rpmtsCreate");
  decltype(&::rpmtsFree) rpmtsFree = library_.function("rpmtsFree");
  decltype(&::rpmtsGetKeyring) rpmtsGetKeyring = library_.function("rpmtsGetKeyring");
};

// Loads librpm when it is first called, and throws as its constructor does, each time that it
// can't. Any thread may call it.
[[nodiscard]] const Librpm& librpm();

}  // namespace photon_dmesg
