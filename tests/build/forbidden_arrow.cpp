// What tests/CMakeLists.txt compiles as if it stood in src/kernel/find: which must not know who
// reads the log of the kernel that it finds.
#include "kernel/printk/kernel_log.h"
