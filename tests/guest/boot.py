"""Boots a guest, stops it, and keeps what VMware would: memory and every vCPU's registers."""

import contextlib
import dataclasses
import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import initramfs
import kernels
import lab
import own_kernel
import paths
import repeats
from scenarios import Scenario

# QEMU's machine "pc" puts RAM above this at 4 GiB, as VMware does; the RAM file has no hole then,
# so it is what VMware keeps as .vmem.
LOW_MEMORY_END = 0xC0000000

BOOT_TIMEOUT = 240  # seconds; a boot takes about 15 in software emulation
PANIC = b"Kernel panic - not syncing"
PANIC_END = b"---[ end Kernel panic"
DUMP_KERNEL_UP = b"the crash-dump kernel is up"
NVME = ("nvme,drive=disk,serial=1",)  # whose driver is part of every series' kernel
PVSCSI = ("pvscsi,id=scsi", "scsi-hd,drive=disk,bus=scsi.0")
# What the disk is connected by, in modes with one.
DISKS = {"frozen": NVME, "stalled": NVME, "unsynced": NVME, "failed": NVME, "pvscsi": PVSCSI}
STALLED = ("stalled", "unsynced", "pvscsi")
# The kernel's own modules that modes need, in the order in which they are loaded.
MODULES = {"nullblk": ("configfs", "null_blk"),
           "scsi": ("scsi_common", "scsi_mod", "sd_mod", "scsi_debug"),
           "pvscsi": ("scsi_common", "scsi_mod", "sd_mod", "vmw_pvscsi")}
MOUNTED = b"BLOB mounted "
END = b"END 0 0\n"  # of what the guest ships
EARLY = b"] Memory: "  # before any other processor, timer or driver is there


@dataclasses.dataclass(frozen=True)
class Guest:
    """A stopped guest in the cache."""

    scenario: Scenario
    kernel: kernels.Kernel
    folder: Path

    @property
    def memory(self) -> Path:
        """The flat image of its RAM, sparse."""
        return self.folder / "memory.raw"

    @property
    def vcpus(self) -> list[dict[str, int]]:
        """Each vCPU's registers by name: rax..r15, rip, rflags, cr0..cr4, cr8, dr0..dr7, and NAME
        with NAME_base for segments, gdt_base, idt_base and their _limit."""
        return json.loads((self.folder / "vcpus.json").read_text())

    def blob(self, name: str) -> bytes:
        """What the guest shipped under `name`."""
        return (self.folder / name).read_bytes()


class Monitor:
    """QEMU's machine protocol, as much of it as is needed."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 30
        while True:
            try:
                self._socket.connect(str(path))
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        self._file = self._socket.makefile("rw")
        self._file.readline()
        self.call("qmp_capabilities")

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def call(self, name: str, **arguments: object) -> object:
        self._file.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self._file.flush()
        while True:
            answer = json.loads(self._file.readline())
            if "error" in answer:
                raise RuntimeError(f"{name}: {answer['error']}")
            if "return" in answer:
                return answer["return"]

    def registers(self) -> list[dict[str, int]]:
        """Every vCPU's registers; the machine must be stopped."""
        text = self.call("human-monitor-command", **{"command-line": "info registers -a"})
        return [parse_registers(part) for part in re.split(r"CPU#\d+\s", text)[1:]]


def parse_registers(text: str) -> dict[str, int]:
    """One vCPU of `info registers -a`. One that was never started is in real mode: EAX for RAX."""
    text = re.sub(r"\bE([A-Z]{2}) *=", r"R\1=", text).replace("EFL=", "RFL=")
    if "R8 =" not in text:
        text += "".join(f" R{number}=0" for number in range(8, 16))
    registers = {"rflags" if name == "RFL" else name.lower(): int(value, 16)
                 for name, value in re.findall(r"\b(R[A-Z0-9]{1,2}|RFL|CR[0-8]|DR[0-7])\s*="
                                               r"([0-9a-f]+)", text)}
    for name, selector, base, limit in re.findall(
            r"\b([C-GS]S|LDT|TR)\s*=([0-9a-f]{4}) ([0-9a-f]+) ([0-9a-f]+)", text):
        registers[name.lower()] = int(selector, 16)
        registers[f"{name.lower()}_base"] = int(base, 16)
    for name, base, limit in re.findall(r"\b(GDT|IDT)\s*=\s*([0-9a-f]+) ([0-9a-f]+)", text):
        registers[f"{name.lower()}_base"] = int(base, 16)
        registers[f"{name.lower()}_limit"] = int(limit, 16)
    registers["cpl"] = int(re.search(r"CPL=(\d)", text).group(1))
    return registers


def _initrd(scenario: Scenario, kernel: kernels.Kernel, work: Path) -> Path:
    """The initramfs; with kdump, the kernel to start after a crash and its initramfs as well; with a
    lab, its module and programs; the kernel's own modules that the mode needs."""
    if names := MODULES.get(scenario.mode):
        target = work / "initrd"
        target.write_bytes(initramfs.build().read_bytes() + initramfs.archive(
            kernels.modules(kernel, names), ["modules", *(f"modules/{name}.ko" for name in names)]))
        return target
    if scenario.mode == "lab":
        target = work / "initrd"
        names = ["lab", *(f"lab/{file.name}" for file in sorted((lab.build(kernel) / "lab").iterdir()))]
        target.write_bytes(initramfs.build().read_bytes() +
                           initramfs.archive(lab.build(kernel), names))
        return target
    if scenario.mode != "kdump":
        return initramfs.build()
    folder = work / "boot"
    folder.mkdir()
    shutil.copy(kernel.vmlinuz, folder / "vmlinuz")
    shutil.copy(initramfs.build(), folder / "initrd")
    target = work / "initrd"
    # The kernel takes archives that lie one behind the other.
    target.write_bytes(initramfs.build().read_bytes() + initramfs.archive(work, [
        "boot", "boot/vmlinuz", "boot/initrd"]))
    shutil.rmtree(folder)
    return target


def _disk(scenario: Scenario, work: Path) -> list[str]:
    """A disk with a file system."""
    if scenario.mode not in DISKS:
        return []
    files, image = work / "files", work / "disk"
    files.mkdir(exist_ok=True)
    (files / "content").write_bytes(b"content\n" * (1 << 17))
    image.unlink(missing_ok=True)
    paths.run("mkfs.ext4", "-q", "-d", files, image, "32M", env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    shutil.rmtree(files)
    devices = [word for device in DISKS[scenario.mode] for word in ("-device", device)]
    return ["-drive", f"file={image},format=raw,if=none,id=disk", *devices]


def _command(scenario: Scenario, kernel: kernels.Kernel, work: Path) -> list[str]:
    # A busy host starves the emulated timer while the kernel tests it: no_timer_check.
    line = (f"console=ttyS0 panic=0 oops=panic sysrq_always_enabled no_timer_check "
            f"photon.mode={scenario.mode} photon.fill={scenario.fill} photon.lab={scenario.lab} "
            f"photon.spin={scenario.spin} {scenario.command_line}")
    # One thread for all vCPUs: none runs code that another is patching, which kernels have died of.
    # It costs a guest that mostly waits nothing. The storm is about what vCPUs do at once.
    threads = "multi" if scenario.mode == "storm" else "single"
    return [
        "qemu-system-x86_64",
        "-machine", "pc,memory-backend=ram,max-ram-below-4g=3G", "-accel", f"tcg,thread={threads}",
        "-cpu", "max",
        "-smp", f"{scenario.vcpus},maxcpus={scenario.possible_vcpus or scenario.vcpus}", "-m", f"{scenario.memory >> 20}M",
        "-object", f"memory-backend-file,id=ram,size={scenario.memory},"
                   f"mem-path={work / 'memory.raw'},share=on",
        "-rtc", f"base={scenario.hardware_clock or 'utc'}",
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-serial", f"file:{work / 'console.log'}",
        "-chardev", f"file,id=shipped,path={work / 'shipped'}",
        "-device", "isa-debugcon,iobase=0xe9,chardev=shipped",
        "-qmp", f"unix:{work / 'qmp'},server=on,wait=off",
        *_disk(scenario, work),
        "-kernel", str(kernel.vmlinuz), "-initrd", str(_initrd(scenario, kernel, work)),
        "-append", line,
    ]


def _console(work: Path) -> bytes:
    console = work / "console.log"
    return console.read_bytes() if console.exists() else b""


def _shipped(work: Path) -> bytes:
    """What the guest has shipped so far; its script begins and ends with a shipment. Behind that is a
    dot for each processor that is about to loop."""
    shipped = work / "shipped"
    return shipped.read_bytes() if shipped.exists() else b""


def _wait(process: subprocess.Popen, done, what: str, work: Path) -> None:
    deadline = time.monotonic() + BOOT_TIMEOUT
    while not done():
        begun = bool(_shipped(work))
        if (process.poll() is not None or time.monotonic() > deadline
                or (not begun and PANIC in _console(work))):
            said = (f"the guest did not get to {what}; its console ends with:\n"
                    f"{_console(work)[-2000:].decode(errors='replace')}")
            raise RuntimeError(said) if begun else repeats.DiedBeforeScript(said)
        time.sleep(0.02)


def _unpack_shipped(work: Path) -> None:
    data = (work / "shipped").read_bytes()
    while data and not data.startswith(b"END"):
        header, _, data = data.partition(b"\n")
        _, name, length = header.decode().split()
        (work / name).write_bytes(data[:int(length)])
        data = data[int(length):]


def _stop(monitor: Monitor, scenario: Scenario) -> list[dict[str, int]]:
    """Stops the machine, in user mode on every vCPU if the scenario says so."""
    while True:
        monitor.call("stop")
        vcpus = monitor.registers()
        if scenario.mode != "user" or all(vcpu["cpl"] == 3 for vcpu in vcpus):
            return vcpus
        monitor.call("cont")
        time.sleep(0.05)


@contextlib.contextmanager
def _started(scenario: Scenario, kernel: kernels.Kernel, work: Path) -> Iterator[Monitor]:
    """As running(), but a boot may fail before the guest's script begins."""
    for leftover in ("memory.raw", "console.log", "shipped", "qmp"):
        (work / leftover).unlink(missing_ok=True)
    with contextlib.ExitStack() as cleanup:
        process = subprocess.Popen(_command(scenario, kernel, work), stdin=subprocess.DEVNULL)
        cleanup.callback(process.wait)
        cleanup.callback(process.kill)
        monitor = Monitor(work / "qmp")
        cleanup.callback(monitor.close)
        if scenario.mode in STALLED:
            _wait(process, lambda: MOUNTED in _shipped(work), "its disk", work)
            # A byte a second: what is not answered at once won't be.
            monitor.call("block_set_io_throttle", device="disk", bps=1, bps_rd=0, bps_wr=0, iops=0,
                         iops_rd=0, iops_wr=0)
        if scenario.mode == "early":
            _wait(process, lambda: EARLY in _console(work), "its memory", work)
        else:
            _wait(process, lambda: _shipped(work).rstrip(b".").endswith(END), "the end of its script",
                  work)
        if scenario.mode == "panic":
            _wait(process, lambda: PANIC_END in _console(work), "its panic", work)
        if scenario.mode == "kdump":
            _wait(process, lambda: DUMP_KERNEL_UP in _console(work), "its crash-dump kernel", work)
        if scenario.spin:
            # Not by its console, whose thread may be on a processor that loops.
            dots = b"." * len(scenario.spin.split(","))
            _wait(process, lambda: _shipped(work).endswith(END + dots), "its loops", work)
            time.sleep(scenario.spins_for)
        if scenario.until:
            _wait(process, lambda: scenario.until.encode() in _console(work), scenario.until, work)
        yield monitor
        monitor.call("quit")
        process.wait(timeout=60)


@contextlib.contextmanager
def running(scenario: Scenario, kernel: kernels.Kernel, work: Path) -> Iterator[Monitor]:
    """A guest that has come to the end of its script and runs on, its memory in work/memory.raw."""
    with contextlib.ExitStack() as cleanup:
        def start() -> Monitor:
            return cleanup.enter_context(_started(scenario, kernel, work))
        yield repeats.started(scenario.name, start)


def _run(scenario: Scenario, kernel: kernels.Kernel, work: Path) -> None:
    with running(scenario, kernel, work) as monitor:
        vcpus = _stop(monitor, scenario)
    (work / "vcpus.json").write_text(json.dumps(vcpus, indent=1))
    for name in ("qmp", "initrd", "disk"):
        (work / name).unlink(missing_ok=True)
    _unpack_shipped(work)
    (work / "shipped").unlink()


def boot(scenario: Scenario) -> Guest:
    """The guest of a scenario, booted unless the cache has it."""
    kernel = (own_kernel.fetch() if scenario.series == own_kernel.SERIES
              else kernels.fetch(scenario.series))
    key = paths.digest(repr(scenario), kernel.folder.name, paths.SOURCE / "initramfs",
                       Path(__file__), paths.SOURCE / "initramfs.py",
                       *([lab.build(kernel).name] if scenario.mode == "lab" else []))
    folder = paths.cache() / "guests" / f"{scenario.name}-{key}"

    def make(work: Path) -> None:
        started = time.monotonic()
        print(f"booting {scenario.name}: Linux {kernel.release}, {scenario.vcpus} vCPUs, "
              f"{scenario.memory >> 20} MiB", flush=True)
        _run(scenario, kernel, work)
        paths.run("fallocate", "--dig-holes", work / "memory.raw")
        print(f"booted {scenario.name} in {time.monotonic() - started:.0f} s", flush=True)

    return Guest(scenario, kernel, paths.made_once(folder, make))
