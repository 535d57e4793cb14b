// What tests/CMakeLists.txt compiles as if it stood in src/kernel/find.
#include "kernel/memory/kernel_memory.h"
