#include "fuzz/seeds.h"
#include "support/bytes.h"
#include "triage/log/event_patterns.h"

namespace photon_dmesg::fuzz {
namespace {

using test::little_endian;

// A log as targets/triage_log.cpp takes it.
std::string text_log(const std::string& log) {
  return little_endian(0, 1) + log;
}

std::string record(unsigned bits, const std::string& text) {
  return little_endian(bits, 1) + ((bits & 4) != 0 ? little_endian(5'000'000'000, 8) : "") +
         little_endian(text.size(), 2) + text;
}

// A line that each pattern fits.
std::string every_pattern() {
  std::string log;
  for (const auto* const patterns : {&kernel_patterns(), &systemd_patterns()}) {
    for (const EventPattern& pattern : *patterns) {
      log += "[    1.000000][   T12] x[12]: " + std::string(pattern.text) + " a" +
             std::string(pattern.also) + " 12 in b+0x1/0x2\n";
    }
  }
  return log;
}

constexpr const char* oops =
    R"(<1>[   50.000001] BUG: kernel NULL pointer dereference, address: 0010
<1>[   50.000002] #PF: supervisor read access in kernel mode
<4>[   50.000004] Oops: 0000 [#1] PREEMPT SMP NOPTI
<4>[   50.000005] CPU: 0 PID: 12 Comm: a b Tainted: G      D W  OE      6.1.0
<4>[   50.000006] RIP: 0010:strlen+0x12/0x30
<4>[   50.000007] Call Trace:
<4>[   50.000008]  <IRQ>
<4>[   50.000009]  [<ffffffff8120048f>] ? fails.isra.0+0x12/0x30 [lab]
<4>[   50.000010]  </IRQ>
<4>[   50.000011] ---[ end trace 0000000000000000 ]---
<0>[   50.100000] Kernel panic - not syncing: Fatal exception in interrupt
)";

constexpr const char* stalls =
    R"([   28.471748][    C0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
[   28.471749][    C0] rcu: 	1-...!: (1 GPs behind) idle=1ae4/1/0x4000000000000000
[   28.471750][    C0] rcu: 	(detected by 0, t=5250 jiffies, g=-919, q=1 ncpus=2)
[   28.471752][    C1] NMI backtrace for cpu 1
[   28.471753][    C1] CPU: 1 PID: 110 Comm: lab-spin Tainted: G           OE      6.1.0
[   28.471754][    C1] RIP: 0010:lab_spin_forever+0x7/0x10 [photon_lab]
[   28.471755][    C1] Call Trace:
[   28.471757][    C1]  lab_spin+0x11/0x20 [photon_lab]
[   28.471759][    C0] rcu: rcu_preempt kthread starved for 5248 jiffies! g-919 f0x0
[   52.780635] watchdog: BUG: soft lockup - CPU#1 stuck for 45s! [lab-spin:110]
[  242.000000] INFO: task kworker/u8:1:77 blocked for more than 120 seconds.
[  242.000001] INFO: task b:78 blocked for more than 120 seconds.
)";

constexpr const char* syslog =
    R"(Nov 29 01:50:12 web-1 kernel: [    7.221393] asks invoked oom-killer: gfp_mask=0x140dca(GFP), order=2
Nov 29 01:50:12 web-1 kernel: [    7.223655] active_anon:111389 inactive_anon:0 isolated_anon:0
Nov 29 01:50:12 web-1 kernel: [    7.3] Out of memory: Killed process 143 (my agent) total-vm:441100kB, anon-rss:1kB
2026-11-29T01:50:13.123456+00:00 web-1 systemd[1]: Failed to start Network Service.
kern  :err   : [   10.000000] I/O error, dev sda, sector 100 op 0x0:(READ) flags 0x0
kern  :warn  : [   15.000000] print_req_error: 12 callbacks suppressed
)";

}  // namespace

void make_triage_seeds(const PutSeed& put) {
  put("triage-log", "every-pattern", text_log(every_pattern()));
  put("triage-log", "oops", text_log(oops));
  put("triage-log", "stalls", text_log(stalls));
  put("triage-log", "syslog", text_log(syslog));
  put("triage-log", "records",
      little_endian(1, 1) + record(6, "BUG: KASAN: use-after-free in a+0x1/0x2\nRead of size 8") +
          record(0x12, "Call Trace:\n b+0x1/0x2\n <IRQ>\n c+0x1/0x2") +
          record(1, "systemd[1]: Failed to mount /home.") +
          record(2, "WARNING: CPU: 1 PID: 2 at a"));
}

}  // namespace photon_dmesg::fuzz
