"""What photon-dmesg triage finds wrong with real guests whose faults are known, and that it finds nothing
wrong with those that are well."""

import gzip
import json
import random
import re
import unittest
from pathlib import Path

import packages
import paths
from guest_files import GuestFiles
from tool import photon_dmesg

NSEC = 1_000_000_000
EXACT = NSEC // 10  # how exact times are to be


class TriageFiles(GuestFiles):
    """A guest and its verdict from the checkpoint alone. Subclasses name the guest."""

    with_vmlinux = False  # whether the checkpoint alone can't tell

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.triage = cls.judged([cls.vmlinux] if cls.with_vmlinux else [])
        cls.findings = cls.triage["findings"]

    @classmethod
    def judged(cls, symbols: list[Path]) -> dict:
        result = photon_dmesg("triage", "--json", *symbols, cls.checkpoint)
        assert result.status in (0, 1), result.err
        return result.json

    def only(self, kind: str, findings: list[dict] | None = None) -> dict:
        found = [finding for finding in (self.findings if findings is None else findings)
                 if finding["kind"] == kind]
        self.assertEqual(len(found), 1, (kind, [f["summary"] for f in found]))
        return found[0]

    def test_vmlinux_gives_the_same_verdict(self) -> None:
        def kinds(document: dict) -> list[tuple]:
            return [(finding["kind"], finding["cpu"], finding["task"]) for finding in document["findings"]]
        self.assertEqual(kinds(self.judged([self.vmlinux])), kinds(self.triage))

    def test_text_begins_with_the_verdict(self) -> None:
        symbols = [self.vmlinux] if self.with_vmlinux else []
        result = photon_dmesg("triage", *symbols, self.checkpoint)
        self.assertEqual(result.out.decode().splitlines()[0], self.triage["verdict"]["text"])

    def begun(self, command: str) -> int:
        """When the lab began to carry it out, by the guest's own record."""
        found = [record for record in self.records() if f"photon_lab: {command} begins" in record["msg"]]
        self.assertEqual(len(found), 1, command)
        return found[0]["ts_nsec"]

    def records(self) -> list[dict]:
        lines = photon_dmesg("--format", "ndjson", self.checkpoint).out.splitlines()
        return [json.loads(line) for line in lines]

    def assert_since(self, finding: dict, nsec: int) -> None:
        self.assertLess(abs(finding["since_nsec"] - nsec), EXACT, finding["summary"])


class HealthyTests(TriageFiles):
    """Nothing is wrong, however busy it is."""

    lacks: list[str] = []  # what can't be read of such a kernel by any means

    def test_nothing_wrong_is_found(self) -> None:
        self.assertEqual((self.triage["verdict"]["kind"], self.findings), ("clean", []))
        self.assertEqual(photon_dmesg("triage", "--fail-on", "any", self.checkpoint).status, 0)
        # A kernel that has found its processors' timers out of order does not tell when one is due.
        lacks = any("Could not switch to high resolution mode" in record["msg"] for record in self.records())
        self.assertEqual(self.triage["not_read"], self.lacks + ["timers of CPUs"] * lacks)
        self.assertEqual(photon_dmesg("triage", self.checkpoint).out.decode().splitlines()[0],
                         "NOTHING WRONG FOUND" + (" in what could be read" if self.lacks or lacks else ""))


class Ordinary61(HealthyTests, unittest.TestCase):
    name = "k61"


class Ordinary510(HealthyTests, unittest.TestCase):
    name = "k510"


class Ordinary7(HealthyTests, unittest.TestCase):
    name = "k7"


class Large612(HealthyTests, unittest.TestCase):
    name = "k612-large"


class Dynamic612(HealthyTests, unittest.TestCase):
    name = "k612-dynamic"


class OrdinaryEsx(HealthyTests, unittest.TestCase):
    name = "esx"
    lacks = ["panic_cpu", "RCU", "workers", "jiffies", "free memory", "file systems"]

    def test_a_system_map_adds_variables_and_only_types_add_the_rest(self) -> None:
        self.assertEqual(self.judged([self.guest.kernel.system_map])["not_read"], ["RCU", "workers", "file systems"])
        self.assertEqual(self.judged([self.vmlinux])["not_read"], [])


class User61(HealthyTests, unittest.TestCase):
    """Every processor loops in user mode."""

    name = "k61-user"


class OneProcessor61(HealthyTests, unittest.TestCase):
    name = "k61-nokaslr"


class Wrapped61(HealthyTests, unittest.TestCase):
    name = "k61-wrapped-pti"


class Sysrq61(HealthyTests, unittest.TestCase):
    """Its log is full of traces, none of which is a report."""

    name = "k61-sysrq"


class Sysrq510(HealthyTests, unittest.TestCase):
    name = "k510-sysrq"


class Clear510(HealthyTests, unittest.TestCase):
    name = "k510-clear"


class PossibleCpus510(HealthyTests, unittest.TestCase):
    name = "k510-possible-cpus"


class Slewed612(HealthyTests, unittest.TestCase):
    """Its clocks part by seconds."""

    name = "k612-slewed"


class Slept61(HealthyTests, unittest.TestCase):
    name = "k61-slept"


class Crowd61(HealthyTests, unittest.TestCase):
    """Ten thousand threads, and bystanders that look hung."""

    name = "k61-crowd"


class PanicTests(TriageFiles):
    def test_the_panic_is_the_verdict(self) -> None:
        panic = self.findings[0]
        self.assertEqual((panic["kind"], panic["grade"], panic["task"]["comm"]),
                         ("panic", "certain", "init"))
        self.assertIn("sysrq triggered crash", panic["summary"])
        self.assertTrue(panic["cause"].startswith("sysrq_handle_crash+"), panic["cause"])
        self.assertTrue(panic["cause"].endswith("write(2)"), panic["cause"])
        told = [record for record in self.records() if record["msg"].startswith("Kernel panic")]
        self.assertIn(told[0]["seq"], [witness["seq"] for witness in panic["evidence"]])
        self.assert_since(panic, told[0]["ts_nsec"])

    def test_the_others_are_stopped_by_it(self) -> None:
        self.assertEqual(len(self.findings), 1)
        text = photon_dmesg("triage", self.checkpoint).out.decode()
        stopped = re.findall(r"vCPU \d+ +stopped by the panic", text)
        self.assertEqual(len(stopped), self.guest.scenario.vcpus - 1)

    def test_automation_can_ask_for_it(self) -> None:
        for kinds, status in (("panic", 10), ("oops,panic", 10), ("any", 10), ("lockup", 0)):
            with self.subTest(kinds=kinds):
                self.assertEqual(photon_dmesg("triage", "--fail-on", kinds, self.checkpoint).status, status)


class Panic61(PanicTests, unittest.TestCase):
    name = "k61-panic"


class Panic612(PanicTests, unittest.TestCase):
    name = "k612-panic"


class PanicEsx(PanicTests, unittest.TestCase):
    name = "esx-panic"


class LabTests(TriageFiles):
    """Tasks that hang in every way of the lab's, beside others that only look so."""

    def test_the_deadlock_is_the_verdict(self) -> None:
        deadlock = self.findings[0]
        self.assertEqual((deadlock["kind"], deadlock["grade"]), ("deadlock", "certain"))
        self.assertEqual({task["comm"] for task in deadlock["tasks"]}, {"lab-ab", "lab-ba"})

    def test_what_waits_for_a_holder_names_him(self) -> None:
        held = [finding for finding in self.findings if finding["kind"] == "blocked_tasks"
                and finding["task"]["comm"] == "lab-mutex"]
        self.assertEqual([finding["blocker"]["comm"] for finding in held], ["lab-hold"])
        self.assert_since(held[0], self.begun("mutex"))

    def test_those_that_only_look_hung_are_not_told_of(self) -> None:
        named = {task["comm"] for finding in self.findings for task in finding["tasks"]}
        self.assertEqual(named & {"vfork-parent", "busy", "stopped", "traced", "zombie", "no-leader"},
                         set())


class Hung61(LabTests, unittest.TestCase):
    name = "k61-hung"


class Hung612(LabTests, unittest.TestCase):
    name = "k612-hung"


class Hung510(LabTests, unittest.TestCase):
    name = "k510-hung"


class Hung7(LabTests, unittest.TestCase):
    name = "k7-hung"


class Hung61Rt(LabTests, unittest.TestCase):
    name = "k61rt-hung"


class EsxHung(LabTests, unittest.TestCase):
    """The usual guest: without types, and with symbols of functions only."""

    name = "esx-hung"
    with_vmlinux = True

    def test_the_checkpoint_alone_shows_the_deadlock(self) -> None:
        alone = self.judged([])
        self.assertEqual((alone["verdict"]["kind"], alone["verdict"]["grade"]), ("deadlock", "certain"))
        self.assertFalse({"how long tasks have waited", "timers of CPUs"} & set(alone["not_read"]), alone["not_read"])
        # What circles and what is blocked since when, is the same as with a vmlinux.
        for kind in ("deadlock", "blocked_tasks"):
            told, expected = ([finding for finding in triage["findings"] if finding["kind"] == kind]
                              for triage in (alone, self.triage))
            self.assertEqual([finding["task"] for finding in told], [finding["task"] for finding in expected])
            for one, other in zip(told, expected):
                self.assert_since(one, other["since_nsec"])


class SpinTests(TriageFiles):
    """Processors that loop, each in its own way, for half a minute."""

    lock = r"lab_spinlock \[photon_lab\]"
    def grade(self) -> str:
        """Of the processor that takes no interrupts."""
        return "certain"

    def on(self, cpu: int) -> dict:
        found = [finding for finding in self.findings if finding["cpu"] == cpu]
        self.assertEqual(len(found), 1, [finding["summary"] for finding in self.findings])
        return found[0]

    def test_a_processor_that_is_well_is_not_named(self) -> None:
        self.assertNotIn(0, [finding["cpu"] for finding in self.findings])

    def test_interrupts_off_is_the_verdict(self) -> None:
        self.assertEqual(self.findings[0], self.on(2))
        lockup = self.findings[0]
        self.assertEqual((lockup["kind"], lockup["grade"], lockup["task"]["comm"]),
                         ("hard_lockup", self.grade(), "lab-spinirq"))
        self.assertIn("lab_spin", lockup["cause"])
        self.assert_since(lockup, self.begun("spinirq"))

    def test_the_others_are_soft_and_name_what_spins(self) -> None:
        for cpu, function in ((1, "lab_spin"), (3, "lab_timer_spin"), (4, "lab_aa")):
            with self.subTest(cpu=cpu):
                lockup = self.on(cpu)
                self.assertEqual(lockup["kind"], "soft_lockup")
                self.assertIn(function, lockup["cause"])
        self.check_spinlock(self.on(4))

    def check_spinlock(self, lockup: dict) -> None:
        """It has the lock that it waits for: nobody else does."""
        self.assertRegex(lockup["object"], f"^spinlock {self.lock}$")
        self.assertIn(f"spins on {lockup['object']} in lab_aa", lockup["summary"])
        words = [witness["value"] for witness in lockup["evidence"] if witness["what"] == lockup["object"]]
        # A guest that knows that it is one may try again and again without a mark of its own.
        self.assertEqual(len(words), 1, lockup["evidence"])
        self.assertRegex(words[0], "^(0x1: held|0x101: held, one CPU waits)$")

    def test_what_comes_of_them_is_no_cause(self) -> None:
        self.assertLessEqual({finding["kind"] for finding in self.findings}, {"hard_lockup", "soft_lockup"})


class Spins612(SpinTests, unittest.TestCase):
    name = "k612-spins"


class Spins510(SpinTests, unittest.TestCase):
    name = "k510-spins"


class EsxSpinTests(SpinTests):
    """No detector runs there, and the kernel does not note since when a task waits for a processor: one
    that loops is found by what its task has run without a break while others wait, and by the works
    and grace periods that wait for it, if any do. An idle task has no time that is counted."""

    name = "esx-spins"
    lock = "0x[0-9a-f]{16}"  # such a kernel keeps no names of modules' variables
    without_timers = "strong"  # only that the time of its task is not counted

    def grade(self) -> str:
        """A boot under emulation may find the local APIC's timer too inexact for timers of high resolution."""
        inexact = b"APIC timer disabled due to verification failure"
        return self.without_timers if inexact in self.guest.blob("truth.kmsg") else "certain"

    def test_the_others_are_soft_and_name_what_spins(self) -> None:
        functions = {1: "lab_spin", 3: "lab_timer_spin", 4: "lab_aa"}
        soft = [finding for finding in self.findings if finding["kind"] == "soft_lockup"]
        self.assertLessEqual(self.told(), {finding["cpu"] for finding in soft})
        for lockup in soft:
            self.assertIn(functions[lockup["cpu"]], lockup["cause"])
            if lockup["cpu"] == 4:
                self.check_spinlock(lockup)

    def told(self) -> set[int]:
        """Which of them must be found."""
        return {1, 4}


class EsxSpins(EsxSpinTests, unittest.TestCase):
    with_vmlinux = True


class EsxSpinsAlone(EsxSpinTests, unittest.TestCase):
    """The checkpoint alone: no types, no per-CPU symbols, and nothing of RCU and workers: where no other task
    happens to wait for a processor, nothing tells that it loops."""

    without_timers = "weak"  # nor does anything tell how far the clock lags by which tasks' time is counted

    def told(self) -> set[int]:
        tasks = photon_dmesg("ps", "--json", self.vmlinux, self.checkpoint).json["tasks"]
        waiting = {task["cpu"] for task in tasks if task["state"] == "R" and not task["on_cpu"]}
        # What is found by its form may have more than one form that fits: then it is said to be unknown.
        if "how long tasks have waited" in self.triage["not_read"]:
            return set()
        return super().told() & waiting

    def test_vmlinux_gives_the_same_verdict(self) -> None:
        def found(findings: list[dict]) -> set[tuple]:
            return {(finding["kind"], finding["cpu"]) for finding in findings} | {
                one for finding in findings for one in found(finding.get("consequences", []))}
        judged = self.judged([self.vmlinux])["findings"]
        self.assertLessEqual(found(self.findings), found(judged))
        self.assertEqual([self.findings[0][key] for key in ("kind", "cpu", "task")],
                         [judged[0][key] for key in ("kind", "cpu", "task")])


class SoftLockup61(TriageFiles, unittest.TestCase):
    name = "k61-softlockup"

    def test_the_processor_that_loops_is_the_verdict(self) -> None:
        lockup = self.findings[0]
        self.assertEqual((lockup["kind"], lockup["cpu"], lockup["task"]["comm"]),
                         ("soft_lockup", 1, "lab-spin"))
        self.assert_since(lockup, self.begun("spin"))
        self.assertEqual(len(self.findings), 1)

    def test_the_logs_report_is_evidence(self) -> None:
        told = [record["seq"] for record in self.records() if "BUG: soft lockup" in record["msg"]]
        self.assertIn(told[0], [witness["seq"] for witness in self.findings[0]["evidence"]])

    def test_rcu_and_workers_behind_it_are_consequences(self) -> None:
        kinds = {finding["kind"] for finding in self.findings[0]["consequences"]}
        self.assertLessEqual({"rcu_stall", "starved_tasks"}, kinds)


class Hog61(TriageFiles, unittest.TestCase):
    """A program with real-time priority: nothing of the kernel hangs."""

    name = "k61-hog"

    def test_who_starves_the_others_is_named(self) -> None:
        starved = self.findings[0]
        self.assertEqual((starved["kind"], starved["cpu"], starved["task"]["comm"]),
                         ("starved_tasks", 1, "rt-hog"))


class Oops61(TriageFiles, unittest.TestCase):
    name = "k61-oops"

    def test_the_oops_is_the_verdict(self) -> None:
        oops = self.findings[0]
        self.assertEqual((oops["kind"], oops["grade"], oops["task"]["comm"]),
                         ("oops", "certain", "lab-oops"))
        self.assertIn("lab_oops", oops["cause"])
        self.assertIn("die_counter", [witness["what"] for witness in oops["evidence"]])
        self.assert_since(oops, self.begun("oops"))

    def test_a_warning_is_a_finding_too(self) -> None:
        self.assertIn("lab_warn", self.only("warning")["summary"])


class Bug612(TriageFiles, unittest.TestCase):
    name = "k612-bug"

    def test_the_bug_is_the_verdict(self) -> None:
        bug = self.findings[0]
        self.assertEqual((bug["kind"], bug["grade"], bug["task"]["comm"]),
                         ("oops", "certain", "lab-bug"))
        self.assertEqual(bug["summary"], "BUG() in lab_bug")
        self.assertRegex(bug["cause"], r"^lab_bug\+0x\w+/0x\w+ \[photon_lab\] < lab_write")
        witnesses = {witness["what"]: witness for witness in bug["evidence"]}
        self.assertRegex(witnesses["location"]["value"], r"photon_lab\.c:\d+$")
        self.assertEqual(witnesses["die_counter"]["value"], "1")
        self.assert_since(bug, self.begun("bug"))


class LabPanicTests(TriageFiles):
    """Panics that one of the lab's commands ends in. Subclasses name it."""

    command: str
    reason: str
    origin: str  # the kind of what it came of, which is a finding of its own
    in_task = True  # and not in an interrupt

    def test_the_panic_is_the_verdict_and_tells_what_it_came_of(self) -> None:
        panic = self.findings[0]
        self.assertEqual((panic["kind"], panic["grade"], panic["cpu"]), ("panic", "certain", 1))
        if self.in_task:
            self.assertEqual(panic["task"]["comm"], f"lab-{self.command}")
        self.assertTrue(panic["summary"].startswith(self.reason), panic["summary"])
        origin = self.only(self.origin)
        self.assertEqual((origin["grade"], origin["task"]), ("certain", panic["task"]))
        self.assertEqual(origin["since_nsec"], panic["since_nsec"])
        self.assertIn(origin["evidence"][0]["seq"], [witness["seq"] for witness in panic["evidence"]])
        told = [record for record in self.records() if record["msg"].startswith("Kernel panic")]
        self.assertIn(told[0]["seq"], [witness["seq"] for witness in panic["evidence"]])

    def test_the_other_processor_is_stopped_by_it(self) -> None:
        text = photon_dmesg("triage", self.checkpoint).out.decode()
        self.assertRegex(text, r"vCPU 0 +stopped by the panic")
        self.assertRegex(text, rf"vCPU 1 +in panic, {f'lab-{self.command}' if self.in_task else ''}")


class OomPanic61(LabPanicTests, unittest.TestCase):
    name = "k61-oom-panic"
    command = "oom"
    reason = "Out of memory: system-wide panic_on_oom is enabled, after lab-oom ("
    origin = "out_of_memory"

    def test_who_asked_for_the_memory_is_the_cause(self) -> None:
        self.assertIn("lab_oom [photon_lab]", self.findings[0]["cause"])
        self.assertEqual(self.triage["memory"]["oom_kills"], 0)

    def test_it_had_no_memory_to_give(self) -> None:
        low = self.only("memory_low")
        self.assertRegex(low["evidence"][0]["value"], r"^\d+, at most min \d+ and lowmem_reserve [1-9]\d*$")


class TimerNull61(LabPanicTests, unittest.TestCase):
    """In an interrupt: whose task it was has nothing to do with it."""

    name = "k61-timernull"
    command = "timernull"
    reason = "Fatal exception in interrupt, after NULL pointer dereference in lab_oops"
    origin = "oops"
    in_task = False

    def test_the_interrupt_is_the_cause(self) -> None:
        self.assertIn("lab_oops+", self.findings[0]["cause"])
        self.assertIn("lab_timer_oops", self.findings[0]["cause"])
        self.assertIn("it came out of an interrupt", self.findings[0]["notes"][0])


class HungPanic612(TriageFiles, unittest.TestCase):
    """The kernel's own watch over tasks that hang panics: whom it has found is what is wrong."""

    name = "k612-hung-panic"

    def test_the_deadlock_is_told_beside_the_panic(self) -> None:
        panic = self.findings[0]
        self.assertEqual((panic["kind"], panic["grade"], panic["task"]["comm"]),
                         ("panic", "certain", "khungtaskd"))
        self.assertIn("hung_task: blocked tasks", panic["summary"])
        deadlock = self.only("deadlock")
        self.assertEqual({task["comm"] for task in deadlock["tasks"]}, {"lab-ab", "lab-ba"})
        told = [record["seq"] for record in self.records() if "INFO: task lab-" in record["msg"]]
        self.assertLessEqual(set(told), {witness.get("seq") for witness in deadlock["evidence"]})


class Overflow612(LabPanicTests, unittest.TestCase):
    name = "k612-overflow"
    command = "recurse"
    reason = "Fatal exception in interrupt, after kernel stack overflow in lab_deeper"
    origin = "oops"

    def test_it_is_as_old_as_the_recursion(self) -> None:
        self.assert_since(self.findings[0], self.begun("recurse"))
        self.assertTrue(self.findings[0]["cause"].startswith("lab_deeper+"), self.findings[0]["cause"])


class Oom612(TriageFiles, unittest.TestCase):
    name = "k612-oom"

    def test_the_victim_is_named(self) -> None:
        found = self.findings[0]
        self.assertEqual((found["kind"], found["grade"]), ("out_of_memory", "certain"))
        self.assertIn("guest_agent", found["summary"])
        self.assertEqual(self.triage["memory"]["oom_kills"], 1)


class FrozenTests(TriageFiles):

    def test_the_frozen_file_system_is_the_verdict(self) -> None:
        self.assertEqual(len(self.findings), 1)
        frozen = self.findings[0]
        self.assertEqual((frozen["kind"], frozen["grade"], frozen["object"]),
                         ("frozen_file_system", "certain", "nvme0n1 (ext4)"))
        self.assertEqual({task["comm"] for task in frozen["tasks"]}, {"dd", "mkdir"})


class Frozen61(FrozenTests, unittest.TestCase):
    name = "k61-frozen"


class Frozen612(FrozenTests, unittest.TestCase):
    name = "k612-frozen"


class StalledTests(TriageFiles):
    disk: str

    def test_the_disk_is_the_verdict_and_who_waits_behind_it_is_not(self) -> None:
        self.assertEqual([finding["kind"] for finding in self.findings], ["storage_stalled"])
        stalled = self.findings[0]
        self.assertEqual(stalled["object"], self.disk)
        self.assertIn("in flight", json.dumps(stalled["evidence"]))


class Stalled612(StalledTests, unittest.TestCase):
    name = "k612-stalled"
    disk = "nvme0n1"


class Unsynced612(StalledTests, unittest.TestCase):
    name = "k612-unsynced"
    disk = "nvme0n1"


class Pvscsi61(StalledTests, unittest.TestCase):
    """Drivers that are modules: their types are in memory, not in vmlinux."""

    name = "k61-pvscsi"
    disk = "sda"

    def test_the_rings_tell_on_which_side_it_is(self) -> None:
        self.assertIn("pvscsi rings", [witness["what"] for witness in self.findings[0]["evidence"]])


class NullBlk61(StalledTests, unittest.TestCase):
    name = "k61-nullblk"
    disk = "nullb0"


class ScsiTests(TriageFiles):
    """SCSI's error handling gives a command to the disk again and again, each time anew."""

    def test_the_disk_has_not_answered_since_the_first_time(self) -> None:
        stalled = self.findings[0]
        self.assertEqual((stalled["kind"], stalled["object"]), ("storage_stalled", "sda"))
        self.assertEqual({task["comm"] for task in stalled["tasks"]}, {"dd"})
        evidence = {witness["what"]: witness["value"] for witness in stalled["evidence"]}
        self.assertRegex(evidence["scsi_cmnd.retries"], r"^[1-5] of 5$")
        # The first read of the disk is done, in vain, before the one that it waits for now.
        failed = [record for record in self.records() if "I/O error, dev sda" in record["msg"]]
        self.assert_since(stalled, failed[0]["ts_nsec"])

    def test_what_the_log_says_of_it_is_told_too(self) -> None:
        told = [finding["summary"] for finding in self.findings if finding["kind"] == "io_error"]
        self.assertRegex(told[0], r"^SCSI command failed: sd .*\[sda\]")
        self.assertRegex(told[1], "^I/O error: sda")
        self.assertEqual(len(told), 2, told)


class Scsi61(ScsiTests, unittest.TestCase):
    name = "k61-scsi"


class Scsi612(ScsiTests, unittest.TestCase):
    name = "k612-scsi"


class EndlessWorkTests(TriageFiles):
    """A worker lets all tasks run, but is never done: its CPU is not locked up."""

    def test_the_work_is_the_verdict(self) -> None:
        self.assertEqual([finding["kind"] for finding in self.findings], [self.kind])
        found = self.findings[0]
        self.assertEqual((found["cpu"], found["object"]), (1, "lab_work_endless"))
        self.assertTrue(found["task"]["comm"].startswith("kworker/1:"), found["task"])
        self.assertIn("lab_work_endless", found["cause"])


class EndlessWork61(EndlessWorkTests, unittest.TestCase):
    name = "k61-work"
    kind = "stalled_workers"


class EndlessWork612(EndlessWorkTests, unittest.TestCase):
    """Since 6.6 the kernel sees that it takes long, and has other workers take over."""

    name = "k612-work"
    kind = "workqueue_hog"


class Failed61(TriageFiles, unittest.TestCase):
    name = "k61-failed"

    def test_the_file_system_takes_no_writes(self) -> None:
        found = self.findings[0]
        self.assertEqual((found["kind"], found["object"]), ("read_only_file_system", "nvme0n1 (ext4)"))
        told = dict(line.split() for line in self.guest.blob("errors").decode().splitlines())
        self.assertIn(told["last_error_func"], found["cause"])
        counts = [witness["value"] for witness in found["evidence"]
                  if witness["what"] == "errors noted in its super block"]
        self.assertEqual(counts, [told["errors_count"]])


class Early61(TriageFiles, unittest.TestCase):
    """There are no tasks yet: that is said, and not taken for a fault."""

    name = "k61-early"

    def test_it_is_said_to_be_booting(self) -> None:
        self.assertEqual(self.triage["circumstances"], ["it was booting"])
        self.assertEqual(self.findings, [])
        self.assertIn("tasks", self.triage["not_read"])

    def test_vmlinux_gives_the_same_verdict(self) -> None:
        self.assertEqual(self.judged([self.vmlinux])["findings"], [])


class Kdump61(TriageFiles, unittest.TestCase):
    """Its crash-dump kernel runs: the one that crashed is judged."""

    name = "k61-kdump"

    def test_the_panic_is_the_verdict(self) -> None:
        self.assertEqual((self.findings[0]["kind"], self.findings[0]["task"]["comm"]), ("panic", "init"))


class Sources(GuestFiles, unittest.TestCase):
    """Where symbols and types come from does not change what is found."""

    name = "k61-softlockup"

    def kinds(self, *files: Path) -> list[tuple]:
        result = photon_dmesg("triage", "--json", *files, self.checkpoint, cache=self.folder / "cache")
        self.assertEqual(result.status, 0, result.err)
        return [(finding["kind"], finding["cpu"], finding["since_nsec"],
                 sorted(one["kind"] for one in finding["consequences"]))
                for finding in result.json["findings"]]

    def test_every_source_gives_the_same_findings(self) -> None:
        package = packages.build(packages.debuginfo(self.vmlinux, self.guest.kernel.release))
        iso = packages.iso("core", {f"RPMS/x86_64/{package.name}": package})
        alone = self.kinds()
        for source in (self.vmlinux, self.guest.kernel.system_map, iso, iso):
            with self.subTest(source=source.name):
                self.assertEqual(self.kinds(source), alone)

    def test_a_line_of_json_for_each_finding(self) -> None:
        lines = photon_dmesg("triage", "--format", "ndjson", self.checkpoint).out.splitlines()
        self.assertEqual([json.loads(line)["kind"] for line in lines], ["soft_lockup"])

    def test_v_says_where_each_witness_was_read(self) -> None:
        result = photon_dmesg("triage", "-v", self.checkpoint)
        document = photon_dmesg("triage", "--json", self.checkpoint).json
        for witness in document["findings"][0]["evidence"]:
            if witness["address"]:
                self.assertIn(witness["address"], result.err)

    def test_the_text_of_the_log_alone_tells_what_it_says(self) -> None:
        log = self.folder / "dmesg.txt"
        log.write_bytes(photon_dmesg(self.checkpoint).out)
        document = photon_dmesg("triage", "--log", "--json", log).json
        self.assertIn("soft_lockup", [finding["kind"] for finding in document["findings"]])
        self.assertEqual(document["guest"], None)

    def test_the_same_in_each_form_that_a_log_is_printed_in(self) -> None:
        """Packed too; without times since boot none is made up."""
        log = self.folder / "dmesg.txt"
        log.write_bytes(photon_dmesg(self.checkpoint).out)
        told = photon_dmesg("triage", "--log", "--json", log).json["findings"]
        self.assertIsNotNone(told[0]["since_nsec"])
        for form in ("iso", "ctime", "reltime", "delta", "notime"):
            with self.subTest(form=form):
                printed = photon_dmesg("--time-format", form, self.checkpoint).out
                log.write_bytes(printed)
                packed = self.folder / "dmesg.txt.gz"
                packed.write_bytes(gzip.compress(printed))
                for file in (log, packed):
                    result = photon_dmesg("triage", "--log", "--json", file)
                    self.assertEqual(result.status, 0, result.err)
                    self.assertEqual([(finding["kind"], finding["summary"], None) for finding in told],
                                     [(finding["kind"], finding["summary"], finding["since_nsec"])
                                      for finding in result.json["findings"]])

    def test_what_is_no_log_is_not_called_well(self) -> None:
        self.assertEqual(photon_dmesg("triage", "--log", self.checkpoint).status, 3)
        memory = photon_dmesg("triage", "--log", self.checkpoint.with_suffix(".vmem"))
        self.assertEqual(memory.status, 3)
        self.assertIn("expected the text of a log, found memory: leave --log out", memory.err)
        other = self.folder / "other.txt"
        for text in ("", "hello\n"):
            other.write_text(text)
            result = photon_dmesg("triage", "--log", other)
            self.assertEqual(result.status, 1, result.err)
            self.assertIn("no line of it has what those of a kernel's log have", result.err)
        missing = photon_dmesg("triage", "--log", self.folder / "missing")
        self.assertEqual(missing.status, 3)
        self.assertIn("No such file or directory", missing.err)


class Damage(GuestFiles, unittest.TestCase):
    """A guest that is well and whose memory is damaged in many places: less can be read, and nothing is
    certain that is not so."""

    name = "k61"
    PLACES = 2000
    ROUNDS = 6

    def damaged(self, seed: int) -> Path:
        """A copy of its memory with words changed where there is something."""
        memory = self.folder / f"damaged-{seed}.vmem"
        paths.copy_sparse(self.guest.memory, memory)
        chosen = random.Random(seed)
        with memory.open("r+b") as file:
            size = memory.stat().st_size
            left = self.PLACES
            while left:
                place = chosen.randrange(0, size, 8)
                file.seek(place)
                if file.read(8) == bytes(8):
                    continue
                file.seek(place)
                file.write(chosen.choice([bytes(8), chosen.randbytes(8)]))
                left -= 1
        return memory

    def test_nothing_is_certain_that_is_not_so(self) -> None:
        statuses = []
        for seed in range(self.ROUNDS):
            memory = self.damaged(seed)
            result = photon_dmesg("triage", "--json", self.checkpoint_of(memory))
            statuses.append(result.status)
            with self.subTest(seed=seed):
                self.assertIn(result.status, (0, 1, 3, 4), result.err)
                if result.status in (0, 1):
                    certain = [finding["summary"] for finding in result.json["findings"]
                               if finding["grade"] == "certain"]
                    self.assertEqual(certain, [])
            memory.unlink()
        self.assertTrue({0, 1} & set(statuses), statuses)
