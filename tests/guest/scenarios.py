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
    mode: str = "records"  # records, panic, user, storm: how the guest ends
    fill: int = 0  # further records, to make the ring wrap


SCENARIOS = (
    Scenario("k61", "6.1", 2, 512 * MIB, ""),
    Scenario("k612-large", "6.12", 4, 5 * GIB, ""),
    Scenario("k61-wrapped-pti", "6.1", 2, 512 * MIB, "no5lvl pti=on", fill=6000),
    Scenario("k61-nokaslr", "6.1", 1, 512 * MIB, "nokaslr no5lvl"),
    Scenario("k61-panic", "6.1", 2, 512 * MIB, "no5lvl", mode="panic"),
    Scenario("k612-panic", "6.12", 2, 512 * MIB, "", mode="panic"),
    Scenario("k612-dynamic", "6.12", 2, 512 * MIB, "log_buf_len=1M", fill=12000),
    Scenario("k61-user", "6.1", 2, 512 * MIB, "no5lvl pti=on", mode="user"),
)


def by_name(name: str) -> Scenario:
    return next(scenario for scenario in SCENARIOS if scenario.name == name)
