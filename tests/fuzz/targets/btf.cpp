// BTF of a kernel, and of a module beside it.
#include "kernel/symbols/btf.h"

#include "fuzz/input.h"

namespace photon_dmesg::fuzz {
namespace {

void ask(const std::shared_ptr<const Btf>& types) {
  KernelTypes all;
  all.add(types);
  for (const char* path : {"task.list.next", "task.flag", "task.anonymous", "device.list.next",
                           "device.state", "loop.member", "head.task.head"}) {
    const std::optional<Field> field = all.find(path);
    if (!field) continue;
    require(field->bit_width == 0 || field->bit_shift < 8, "bits are in as few bytes as can be");
  }
  for (const char* name : {"task", "device", "loop", "head", ""}) {
    const StructLayout* layout = types->find_struct(name);
    require(layout == nullptr || layout->name() == name, "a structure has the name asked for");
  }
  for (const char* name : {"READY", "FAILED", "WIDE"}) (void)types->find_enumerator(name);
}

}  // namespace

void fuzz_btf(Bytes bytes) {
  Input input(bytes);
  const std::size_t kernel_size = input.number(2);
  const Bytes kernel = input.take(kernel_size);
  const std::shared_ptr<const Btf> base = Btf::parse({kernel.begin(), kernel.end()}, "kernel");
  ask(base);
  const Bytes module = input.rest();
  if (module.empty()) return;
  ask(Btf::parse({module.begin(), module.end()}, "module", base));
}

}  // namespace photon_dmesg::fuzz
