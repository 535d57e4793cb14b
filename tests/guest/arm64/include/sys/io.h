// arm64 has no I/O ports: the agent's permission to use one is always given.
#pragma once

static inline int ioperm(unsigned long from, unsigned long count, int on) {
  (void)from, (void)count, (void)on;
  return 0;
}
