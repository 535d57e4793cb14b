"""Boots an arm64 guest, stops it, and keeps what VMware would: memory and every vCPU's registers."""

import contextlib
import json
import os
import re
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import boot
import checkpoint_writer
import gdb_stub
import initramfs_arm64
import kernels
import paths
import repeats
from scenarios import QEMU_RAM, Arm64Scenario

EFI = Path("/usr/share/qemu-efi-aarch64/QEMU_EFI.fd")
SYSTEM_REGISTERS = ("ttbr0_el1", "ttbr1_el1", "tcr_el1")
EXCEPTION_LEVEL = 0xF  # of PSTATE: 0 in user mode
STOPS = 400  # at most, to find every vCPU in user mode

# What is put into the memory of a guest that has it elsewhere than QEMU, as offsets from its begin. The
# kernel takes a multiple of 2 MiB.
KERNEL, TREE, INITRD = 0x200000, 0x8000000, 0x8200000
# ldr x0, tree; ldr x4, kernel; x1 to x3 are zero; br x4; tree, kernel.
STUB = struct.Struct("<6I2Q")
INSTRUCTIONS = (0x580000C0, 0x580000E4, 0xAA1F03E1, 0xAA1F03E2, 0xAA1F03E3, 0xD61F0080)


def _patience() -> float:
    """Seconds that a boot may take, which takes 25 to 45 of a processor's: more where others want it."""
    return boot.BOOT_TIMEOUT * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def parse_registers(text: str) -> dict[str, int]:
    """One vCPU of `info registers -a`: x0 to x30, sp, pc, pstate."""
    names = r"PC|SP|PSTATE|X\d\d"
    return {re.sub(r"^x0", "x", name.lower()): int(value, 16)
            for name, value in re.findall(rf"\b({names})=([0-9a-f]+)", text)}


def _machine(scenario: Arm64Scenario) -> list[str]:
    """The machine without what it runs. Its RAM begins where QEMU has it; of that, the guest is told what
    the scenario says."""
    size = scenario.ram - QEMU_RAM + scenario.memory
    return ["qemu-system-aarch64", "-accel", "tcg,thread=single",
            "-cpu", ",".join(["max", "pauth-impdef=on", *scenario.cpu]),
            "-smp", str(scenario.vcpus), "-m", f"{size >> 20}M",
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]


def _command_line(scenario: Arm64Scenario) -> str:
    return (f"console=ttyAMA0 panic=0 oops=panic sysrq_always_enabled photon.mode={scenario.mode} "
            f"photon.fill={scenario.fill} {scenario.command_line}").rstrip()


def _device_tree(scenario: Arm64Scenario, work: Path) -> Path:
    """That of QEMU's machine, but for where its memory is; and without a seed, as under VMware's firmware."""
    tree = work / "tree"
    paths.run(*_machine(scenario), "-M", f"virt,gic-version=3,dumpdtb={tree}")
    end = scenario.ram + INITRD + initramfs_arm64.build().stat().st_size

    def put(kind: str, node: str, name: str, *values: str) -> None:
        paths.run("fdtput", "-t", kind, tree, node, name, *values)

    def cells(number: int) -> tuple[str, str]:
        return f"{number >> 32:x}", f"{number & 0xFFFFFFFF:x}"

    put("x", f"/memory@{QEMU_RAM:x}", "reg", *cells(scenario.ram), *cells(scenario.memory))
    put("s", "/chosen", "bootargs", _command_line(scenario))
    put("x", "/chosen", "linux,initrd-start", *cells(scenario.ram + INITRD))
    put("x", "/chosen", "linux,initrd-end", *cells(end))
    for seed in ("kaslr-seed", "rng-seed"):
        paths.run("fdtput", "-d", tree, "/chosen", seed)
    return tree


def _loaded(scenario: Arm64Scenario, kernel: kernels.Kernel, work: Path) -> list[str]:
    """What QEMU is to run."""
    if scenario.ram == QEMU_RAM:
        firmware = ["-bios", str(EFI), "-device", "virtio-rng-pci"] if scenario.efi else []
        return [*firmware, "-kernel", str(kernel.vmlinuz), "-initrd", str(initramfs_arm64.build()),
                "-append", _command_line(scenario)]
    stub = work / "stub"
    stub.write_bytes(STUB.pack(*INSTRUCTIONS, scenario.ram + TREE, scenario.ram + KERNEL))
    words = ["-device", f"loader,file={stub},addr={scenario.ram:#x},force-raw=on,cpu-num=0"]
    for file, place in ((kernel.vmlinuz, KERNEL), (_device_tree(scenario, work), TREE),
                        (initramfs_arm64.build(), INITRD)):
        words += ["-device", f"loader,file={file},addr={scenario.ram + place:#x},force-raw=on"]
    return words


def _disk(scenario: Arm64Scenario, work: Path) -> list[str]:
    """A disk with a file system, to be frozen."""
    if scenario.mode != "frozen":
        return []
    image = work / "disk"
    paths.run("mkfs.ext4", "-q", image, "32M", env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    return ["-drive", f"file={image},format=raw,if=none,id=disk", "-device", *boot.NVME]


def _command(scenario: Arm64Scenario, kernel: kernels.Kernel, work: Path) -> list[str]:
    return [
        *_machine(scenario), "-M", "virt,gic-version=3,memory-backend=ram",
        "-object", f"memory-backend-file,id=ram,size={scenario.ram - QEMU_RAM + scenario.memory},"
                   f"mem-path={work / 'memory.raw'},share=on",
        "-serial", f"file:{work / 'console.log'}",
        # What the guest ships goes to QEMU's standard output.
        "-semihosting-config", "enable=on,userspace=on,target=native",
        "-qmp", f"unix:{work / 'qmp'},server=on,wait=off",
        "-gdb", f"unix:{work / 'gdb'},server=on,wait=off",
        *_disk(scenario, work), *_loaded(scenario, kernel, work),
    ]


def _content(file: Path) -> bytes:
    return file.read_bytes() if file.exists() else b""


def _wait(process: subprocess.Popen, done: Callable[[], bool], what: str, work: Path) -> None:
    begun = time.monotonic()
    while not done():
        console, shipped = _content(work / "console.log"), _content(work / "shipped")
        if (process.poll() is not None or time.monotonic() - begun > _patience()
                or (not shipped and boot.PANIC in console)):
            said = (f"the guest did not get to {what}; its console ends with:\n"
                    f"{console[-2000:].decode(errors='replace')}")
            raise RuntimeError(said) if shipped else repeats.DiedBeforeScript(said)
        time.sleep(0.1)


@contextlib.contextmanager
def _started(scenario: Arm64Scenario, kernel: kernels.Kernel, work: Path) -> Iterator[boot.Monitor]:
    """A guest that has come to the end of its script; it may fail before that begins."""
    for leftover in ("memory.raw", "console.log", "shipped", "qmp", "gdb", "disk"):
        (work / leftover).unlink(missing_ok=True)
    with contextlib.ExitStack() as cleanup:
        shipped = cleanup.enter_context((work / "shipped").open("wb"))
        process = subprocess.Popen(_command(scenario, kernel, work), stdin=subprocess.DEVNULL, stdout=shipped)
        cleanup.callback(process.wait)
        cleanup.callback(process.kill)
        monitor = boot.Monitor(work / "qmp")
        cleanup.callback(monitor.close)
        _wait(process, lambda: _content(work / "shipped").endswith(boot.END), "the end of its script", work)
        if scenario.mode == "panic":
            _wait(process, lambda: boot.PANIC_END in _content(work / "console.log"), "its panic", work)
        yield monitor
        monitor.call("quit")
        process.wait(timeout=60)


def _registers(monitor: boot.Monitor) -> list[dict[str, int]]:
    text = monitor.call("human-monitor-command", **{"command-line": "info registers -a"})
    return [parse_registers(part) for part in re.split(r"CPU#\d+\s", text)[1:]]


def _stop(monitor: boot.Monitor, scenario: Arm64Scenario) -> list[dict[str, int]]:
    """Stops the machine, in user mode on every vCPU if the scenario says so."""
    for _ in range(STOPS):
        monitor.call("stop")
        vcpus = _registers(monitor)
        if scenario.mode != "user" or not any(vcpu["pstate"] & EXCEPTION_LEVEL for vcpu in vcpus):
            return vcpus
        monitor.call("cont")
        time.sleep(0.05)
    raise RuntimeError(f"{scenario.name}: its vCPUs were never in user mode at once")


def _add_system_registers(vcpus: list[dict[str, int]], work: Path) -> None:
    with contextlib.closing(gdb_stub.Stub(work / "gdb")) as stub:
        numbers = stub.numbers(SYSTEM_REGISTERS)
        for index, vcpu in enumerate(vcpus):
            vcpu.update(stub.values(index, numbers))


def _keep_memory(scenario: Arm64Scenario, work: Path) -> None:
    """The part of QEMU's memory that the guest was told of; holes stay holes."""
    whole, part = work / "memory.raw", work / "guest.raw"
    if skipped := scenario.ram - QEMU_RAM:
        part.touch()
        checkpoint_writer.append_memory(part, whole, skipped)
        part.rename(whole)
    paths.run("fallocate", "--dig-holes", whole)


def _unpack_shipped(work: Path) -> None:
    data = (work / "shipped").read_bytes()
    while not data.startswith(b"END"):
        header, _, data = data.partition(b"\n")
        _, name, length = header.decode().split()
        (work / name).write_bytes(data[:int(length)])
        data = data[int(length):]


def _run(scenario: Arm64Scenario, kernel: kernels.Kernel, work: Path) -> None:
    with contextlib.ExitStack() as cleanup:
        monitor = repeats.started(scenario.name, lambda: cleanup.enter_context(
            _started(scenario, kernel, work)))
        vcpus = _stop(monitor, scenario)
        _add_system_registers(vcpus, work)
    (work / "vcpus.json").write_text(json.dumps(vcpus, indent=1))
    _unpack_shipped(work)
    for name in ("qmp", "gdb", "tree", "stub", "disk", "shipped"):
        (work / name).unlink(missing_ok=True)
    _keep_memory(scenario, work)


def boot_guest(scenario: Arm64Scenario) -> boot.Guest:
    """The guest of a scenario, booted unless the cache has it."""
    kernel = kernels.fetch(scenario.series)
    key = paths.digest(repr(scenario), kernel.folder.name, initramfs_arm64.build().parent.name,
                       Path(__file__), Path(gdb_stub.__file__))
    folder = paths.cache() / "guests" / f"{scenario.name}-{key}"

    def make(work: Path) -> None:
        started = time.monotonic()
        print(f"booting {scenario.name}: Linux {kernel.release}, {scenario.vcpus} vCPUs, "
              f"{scenario.memory >> 20} MiB", flush=True)
        _run(scenario, kernel, work)
        print(f"booted {scenario.name} in {time.monotonic() - started:.0f} s", flush=True)

    return boot.Guest(scenario, kernel, paths.made_once(folder, make))
