"""The guests that the tests run on: one line each."""

import dataclasses

GIB = 1 << 30
MIB = 1 << 20


@dataclasses.dataclass(frozen=True)
class Scenario:
    """A guest to boot and how to leave it."""

    name: str
    series: str  # of the kernel
    vcpus: int
    memory: int  # bytes
    command_line: str
    mode: str = "records"  # how the guest ends: see initramfs/init; early: before it gets
    # there
    fill: int = 0  # further records, to make the ring wrap
    possible_vcpus: int = 0  # that could be plugged in; 0: no more than there are
    lab: str = ""  # commands of lab/photon_lab.c that hang, before the guest says what its tasks do
    spin: str = ""  # and after: the first on CPU 1, the second on CPU 2...; fifo: no command of the lab's
    spins_for: int = 2  # seconds from just before they do until the guest is stopped
    until: str = ""  # what the console then says before the guest is stopped
    hardware_clock: str = ""  # what it says when the guest boots, as qemu -rtc base= takes it; "": UTC


QEMU_RAM = 0x40000000  # where QEMU's machine "virt" has it
VMWARE_RAM = 0x80000000  # and VMware's on arm64


@dataclasses.dataclass(frozen=True)
class Arm64Scenario(Scenario):
    """A guest of another architecture."""

    ram: int = QEMU_RAM  # where its memory begins
    cpu: tuple[str, ...] = ()  # what the processor has, or has not, as qemu -cpu takes it
    efi: bool = False  # whether firmware starts it, with random numbers for the kernel's place


# One of each, those that hold before those that wait.
BLOCKED = "ab,ba,hold,mutex,rhold,write,read,sem,done,event,workd"
SPINNING = "spin,spinirq,timerspin,aa"

PANIC_END = "---[ end Kernel panic"

SCENARIOS = (
    Scenario("k61", "6.1", 2, 512 * MIB, ""),
    Scenario("k612-large", "6.12", 4, 5 * GIB, ""),
    Scenario("k61-wrapped-pti", "6.1", 2, 512 * MIB, "no5lvl pti=on", fill=6000),
    Scenario("k61-nokaslr", "6.1", 1, 512 * MIB, "nokaslr no5lvl"),
    # On the first processor, as the documents show it: nothing is put on the other.
    Scenario("k61-panic", "6.1", 2, 512 * MIB, "no5lvl isolcpus=1", mode="panic"),
    Scenario("k612-panic", "6.12", 2, 512 * MIB, "", mode="panic"),
    Scenario("k612-dynamic", "6.12", 2, 512 * MIB, "log_buf_len=1M", fill=12000),
    Scenario("k61-user", "6.1", 2, 512 * MIB, "no5lvl pti=on", mode="user"),
    Scenario("k510", "5.10", 2, 512 * MIB, ""),
    # So many CPUs that the kernel takes a larger log than its own, as under VMware.
    Scenario("k510-possible-cpus", "5.10", 2, 512 * MIB, "", fill=18000, possible_vcpus=64),
    Scenario("k61-sysrq", "6.1", 2, 512 * MIB, "log_buf_len=4M", mode="sysrq"),
    Scenario("k510-sysrq", "5.10", 2, 512 * MIB, "log_buf_len=4M", mode="sysrq"),
    Scenario("k7", "7", 2, 512 * MIB, ""),
    Scenario("k612-oom", "6.12", 2, 512 * MIB, "", mode="oom"),
    Scenario("k61-clear", "6.1", 2, 512 * MIB, "", mode="clear", fill=50),
    Scenario("k510-clear", "5.10", 2, 512 * MIB, "", mode="clear", fill=50),
    # Its crash-dump kernel has taken over from the one that panicked.
    Scenario("k61-kdump", "6.1", 1, 1 * GIB, "no5lvl crashkernel=256M", mode="kdump"),
    # Guests whose printk clock and time of day part. With one processor TCG's TSC is stable, so that
    # printk counts by the raw clock, as under VMware; with two it is not.
    Scenario("k612-slewed", "6.12", 1, 384 * MIB, "", mode="slewed"),
    Scenario("k612-set", "6.12", 1, 384 * MIB, "", mode="set", hardware_clock="2020-01-01T00:00:00"),
    Scenario("k61-slept", "6.1", 2, 384 * MIB, "", mode="slept"),
    # The kernel like linux-esx, doing nothing in particular, and dead.
    Scenario("esx", "esx", 4, 256 * MIB, ""),
    Scenario("esx-panic", "esx", 2, 256 * MIB, "", mode="panic"),
    # Tasks that hang in ways that are known, beside some that only look so.
    Scenario("k61-hung", "6.1", 2, 512 * MIB, "log_buf_len=4M", mode="lab", lab=BLOCKED),
    Scenario("k612-hung", "6.12", 2, 512 * MIB, "log_buf_len=4M", mode="lab", lab=BLOCKED),
    # Readers of this series may overtake a writer that waits, when readers hold the lock.
    Scenario("k510-hung", "5.10", 2, 512 * MIB, "log_buf_len=4M", mode="lab",
             lab=BLOCKED.replace(",read,", ",")),
    Scenario("k7-hung", "7", 2, 512 * MIB, "log_buf_len=4M", mode="lab", lab=BLOCKED),
    # Locks that sleep and hand on their priority, interrupts in threads.
    Scenario("k61rt-hung", "6.1-rt", 2, 512 * MIB, "log_buf_len=4M", mode="lab", lab=BLOCKED),
    Scenario("esx-hung", "esx", 2, 256 * MIB, "log_buf_len=4M", mode="lab", lab=BLOCKED),
    # A processor that loops, for so long that the kernel has said so, and not while it does.
    Scenario("k61-softlockup", "6.1", 2, 512 * MIB, "log_buf_len=4M", mode="lab", spin="spin", spins_for=52),
    # Processors that loop each in its own way: with interrupts off, in a timer's callback, in a lock.
    # For so long that it is beyond doubt, or for so short that it has only begun.
    Scenario("k612-spins", "6.12", 5, 512 * MIB, "log_buf_len=4M", mode="lab", spin=SPINNING, spins_for=30),
    Scenario("k510-spins", "5.10", 5, 512 * MIB, "log_buf_len=4M", mode="lab", spin=SPINNING, spins_for=30),
    Scenario("k7-spins", "7", 5, 512 * MIB, "log_buf_len=4M", mode="lab", spin=SPINNING),
    Scenario("k61rt-spins", "6.1-rt", 4, 512 * MIB, "log_buf_len=4M", mode="lab",
             spin=SPINNING.removesuffix(",aa")),
    Scenario("esx-spins", "esx", 5, 256 * MIB, "log_buf_len=4M", mode="lab", spin=SPINNING, spins_for=30),
    # A worker that is never done, so that no other work of its processor's is begun.
    Scenario("k61-work", "6.1", 2, 512 * MIB, "log_buf_len=4M", mode="lab", spin="work", spins_for=40),
    Scenario("k612-work", "6.12", 2, 512 * MIB, "log_buf_len=4M", mode="lab", spin="work", spins_for=40),
    # What the kernel's own watch over tasks that hang makes a panic of.
    Scenario("k612-hung-panic", "6.12", 2, 512 * MIB, "log_buf_len=4M sysctl.kernel.hung_task_panic=1 "
             "sysctl.kernel.hung_task_timeout_secs=10", mode="lab", lab="ab,ba", until=PANIC_END),
    # A program with real-time priority that keeps its processor from all others.
    Scenario("k61-hog", "6.1", 2, 512 * MIB, "log_buf_len=4M", mode="lab", spin="fifo", spins_for=20),
    # An exception of the kernel's that it has survived, and a warning.
    Scenario("k61-oops", "6.1", 2, 512 * MIB, "log_buf_len=4M", mode="lab", lab="warn,oops"),
    # BUG(), which it survives too; and what it panics of by itself: memory that is used up, if it is to,
    # and a stack without room.
    Scenario("k612-bug", "6.12", 2, 512 * MIB, "log_buf_len=4M", mode="lab", lab="bug"),
    Scenario("k61-oom-panic", "6.1", 2, 512 * MIB, "log_buf_len=4M sysctl.vm.panic_on_oom=1", mode="lab",
             spin="oom", until=PANIC_END),
    Scenario("k61-timernull", "6.1", 2, 512 * MIB, "log_buf_len=4M", mode="lab", spin="timernull",
             until=PANIC_END),
    Scenario("k612-overflow", "6.12", 2, 512 * MIB, "log_buf_len=4M", mode="lab", spin="recurse",
             until=PANIC_END),
    # A file system that is frozen; one whose disk does not answer.
    Scenario("k61-frozen", "6.1", 2, 512 * MIB, "log_buf_len=4M", mode="frozen"),
    Scenario("k612-frozen", "6.12", 2, 512 * MIB, "log_buf_len=4M", mode="frozen"),
    Scenario("k612-stalled", "6.12", 2, 512 * MIB, "log_buf_len=4M", mode="stalled"),
    # The same on VMware's own adapter, whose driver and those below it are modules; a disk that takes
    # requests and never answers.
    Scenario("k61-pvscsi", "6.1", 2, 512 * MIB, "log_buf_len=4M", mode="pvscsi"),
    Scenario("k61-nullblk", "6.1", 2, 512 * MIB, "log_buf_len=4M", mode="nullblk"),
    # One that answers nothing: SCSI's error handling is at it.
    Scenario("k61-scsi", "6.1", 2, 512 * MIB, "log_buf_len=4M", mode="scsi"),
    Scenario("k612-scsi", "6.12", 2, 512 * MIB, "log_buf_len=4M", mode="scsi"),
    # One whose journal is being written when it stops to answer.
    Scenario("k612-unsynced", "6.12", 2, 512 * MIB, "log_buf_len=4M", mode="unsynced"),
    # A file system that has met an error, and is written no more.
    Scenario("k61-failed", "6.1", 2, 512 * MIB, "log_buf_len=4M", mode="failed"),
    # Ten thousand threads, asleep. What sysrq-t says of them the log does not hold: to ship that would
    # take longer than all else.
    Scenario("k61-crowd", "6.1", 1, 768 * MIB, "photon.crowd=10000", mode="lab"),
    Scenario("k61-early", "6.1", 2, 512 * MIB, "earlyprintk=ttyS0 ignore_loglevel", mode="early"),
    # As Photon 5.0 on Apple silicon: pages of 4 KiB, 48 bits, no random place. QEMU's processor has random
    # numbers where Apple's have none: nokaslr.
    Arm64Scenario("arm-vmware", "6.1-arm64", 2, 512 * MIB, "nokaslr", ram=VMWARE_RAM),
    # The same with memory on both sides of 4 GiB.
    Arm64Scenario("arm-large-panic", "6.1-arm64", 4, 2304 * MIB, "nokaslr", mode="panic", ram=VMWARE_RAM),
    Arm64Scenario("arm-wrapped", "6.1-arm64", 2, 512 * MIB, "", fill=6000),
    # TTBR1 may be that of the trampoline.
    Arm64Scenario("arm-user", "6.1-arm64", 2, 512 * MIB, "kpti=1", mode="user"),
    # A kernel for 52 bits on a processor that has 48; on one that has 52: 5 levels.
    Arm64Scenario("arm-48-of-52", "6.12-arm64", 2, 512 * MIB, "", mode="panic", ram=VMWARE_RAM, cpu=("lpa2=off",)),
    Arm64Scenario("arm-dynamic", "6.12-arm64", 2, 512 * MIB, "log_buf_len=1M", fill=12000),
    # Firmware with random numbers: the image itself lies anywhere.
    Arm64Scenario("arm-efi", "6.12-arm64", 2, 512 * MIB, "", efi=True),
    # Tasks that hang.
    Arm64Scenario("arm-frozen", "6.1-arm64", 2, 512 * MIB, "nokaslr log_buf_len=4M", mode="frozen", ram=VMWARE_RAM),
    # Pages of 16 KiB, 52 and 47 bits.
    Arm64Scenario("arm-16k", "6.12-arm64-16k", 2, 512 * MIB, ""),
    Arm64Scenario("arm-16k-47", "6.12-arm64-16k", 2, 512 * MIB, "", mode="panic", cpu=("lpa2=off",)),
)


def by_name(name: str) -> Scenario:
    return next(scenario for scenario in SCENARIOS if scenario.name == name)
