#include "kernel/arch/page_tables.h"

#include "kernel/arch/architecture.h"

namespace photon_dmesg {

std::optional<PageTables::Page> PageTables::find(GuestVirtual address) const {
  return architecture_->find_page(*this, address);
}

void PageTables::for_each_page(GuestVirtual begin, GuestVirtual end,
                               const std::function<void(const Page&)>& visit) const {
  architecture_->for_each_page(*this, {begin, end}, visit);
}

}  // namespace photon_dmesg
