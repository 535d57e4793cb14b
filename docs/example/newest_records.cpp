// Prints the ten newest records of a guest's log, whatever it is read from:
//   newest-records vm.vmss [photon.iso]
#include <deque>
#include <iostream>

#include "session/session.h"

int main(int argc, char** argv) {
  using namespace photon_dmesg;
  CollectedDiagnostics diagnostics;
  try {
    Guest guest = session::open({argv + 1, argv + argc}, session::Options{}, diagnostics);
    const KernelLogReader reader = session::open_log(guest, diagnostics);
    std::deque<LogRecord> newest;
    const KernelLog log = reader.read([&](LogRecord record) {
      newest.push_back(std::move(record));
      if (newest.size() > 10) newest.pop_front();
      return true;
    });
    std::cout << "Linux " << guest.kernel().banner().release << '\n';
    for (const LogRecord& record : newest) std::cout << record.text << '\n';
    for (const std::string& loss : log.losses) std::cerr << "incomplete: " << loss << '\n';
    for (const std::string& warning : diagnostics.warnings()) std::cerr << warning << '\n';
    return log.losses.empty() ? 0 : 1;
  } catch (const Error& error) {
    std::cerr << error.what() << '\n';
    return 3;
  }
}
