#pragma once

#include <unistd.h>

#include <stdexcept>

namespace photon_dmesg::test {

// For its lifetime the process may do what others may: root, whom no file refuses, is nobody.
class AsNobody {
 public:
  AsNobody() : user_(::geteuid()) {
    constexpr uid_t nobody = 65534;
    if (user_ == 0 && ::seteuid(nobody) != 0) throw std::runtime_error("seteuid");
  }
  ~AsNobody() { (void)(::geteuid() == user_ || ::seteuid(user_) == 0); }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;

 private:
  uid_t user_;
};

}  // namespace photon_dmesg::test
