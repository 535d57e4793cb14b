"""Times of day, of guests whose clock was slewed, set, or went on while they slept: judged by what
the guest's own clock showed when each record was written."""

import datetime
import json
import re
import unittest

from guest_files import GuestFiles
from tool import Result, photon_dmesg

SECOND = 10**9  # nanoseconds
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
# Between reading the clock and writing the record, an emulated guest may have to wait.
AT_ONCE = SECOND // 20


def nanoseconds(timestamp: str) -> int:
    """Of an RFC 3339 time, since 1970."""
    return (datetime.datetime.fromisoformat(timestamp) - EPOCH) // datetime.timedelta(microseconds=1) * 1000


class ClockTests(GuestFiles):
    """What must hold whatever happened to the guest's clock."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.lines = [json.loads(line) for line in
                     photon_dmesg("--format", "ndjson", *cls.files).out.splitlines()]
        cls.marks = {line["msg"].split()[1]: line for line in cls.lines
                     if line["msg"].startswith("mark ")}
        cls.result = photon_dmesg("--json", *cls.files)
        cls.clock = cls.result.json["guest"]["clock"]

    def run_tool(self, *options: str, **how: str) -> Result:
        return photon_dmesg(*options, *self.files, **how)

    def error(self, mark: str) -> int:
        """By how much the time of day shown is later than what the guest's clock showed."""
        line = self.marks[mark]
        return nanoseconds(line["timestamp"]) - int(line["msg"].split()[2])

    def before_suspend(self, mark: str) -> float:
        """Seconds, as they are printed."""
        result = self.run_tool("--time-format", "suspend", "--grep", f"^mark {mark} ")
        self.assertEqual((result.status, result.err), (0, ""))
        return float(re.findall(rb"([\d.]+) s before suspend", result.out)[-1])

    def test_before_suspend_is_printks_own_clock(self) -> None:
        # The guest goes on writing its last mark until it is stopped.
        self.assertLess(self.before_suspend("last"), 1)
        apart = (self.marks["last"]["ts_nsec"] - self.marks["before"]["ts_nsec"]) / SECOND
        # The clock moves on with each tick, of which there are 250 a second: what was logged since the last
        # one was 0 s before the stop.
        since_tick = 0.004 if self.before_suspend("last") == 0 else 0
        self.assertAlmostEqual(self.before_suspend("before") - self.before_suspend("last"), apart,
                               delta=0.0021 + since_tick)

    def test_every_format_cuts_times_alike(self) -> None:
        expected = [line["timestamp"].rstrip("Z") for line in self.lines]
        iso = re.findall(r"(?m)^([\d-]{10}T[\d:]{8}),(\d{6})[+]00:00 ",
                         self.run_tool("--time-format", "iso").out.decode())
        self.assertEqual([".".join(time) for time in iso], expected)
        syslog = self.run_tool("--format", "syslog").out.decode().splitlines()
        self.assertEqual([line.split()[1].rstrip("Z") for line in syslog], expected)
        ecs = self.run_tool("--format", "ecs").out.splitlines()
        self.assertEqual([json.loads(line)["@timestamp"].rstrip("Z") for line in ecs], expected)
        journal = self.run_tool("--format", "journal-json").out.splitlines()
        self.assertEqual([int(json.loads(line)["__REALTIME_TIMESTAMP"]) * 1000 for line in journal],
                         [nanoseconds(line["timestamp"]) for line in self.lines])

    def test_the_checkpoint_alone_says_the_same(self) -> None:
        self.assertEqual(photon_dmesg("--json", self.checkpoint).json["guest"]["clock"], self.clock)
        self.assertEqual(photon_dmesg("info", "--json", self.checkpoint).json["guest"]["clock"],
                         self.clock)

    def test_utc_is_for_what_is_shown_and_what_is_asked_for(self) -> None:
        # The last minutes of the guest's life, by its clock.
        since = (EPOCH + datetime.timedelta(microseconds=nanoseconds(self.clock["stopped"]) // 1000,
                                            seconds=-300)).strftime("%Y-%m-%d %H:%M:%S")
        for options in (("-T",), ("--time-format", "iso"), ("-T", "--since", since)):
            with self.subTest(options=options):
                expected = self.run_tool(*options, timezone="UTC0")
                self.assertIn(b"mark last", expected.out)
                self.assertEqual(self.run_tool("--utc", *options, timezone="JST-9"), expected)


class Slewed(ClockTests, unittest.TestCase):
    """As by NTP: the time of day was a tenth too slow for 30 s, until the guest stopped."""

    name = "k612-slewed"

    def test_times_are_the_guests_own_while_it_was_slewed(self) -> None:
        for mark in ("before", "after", "last"):
            self.assertAlmostEqual(self.error(mark), 0, delta=AT_ONCE, msg=mark)

    def test_the_drift_is_found(self) -> None:
        apart = self.marks["last"]["ts_nsec"] - self.marks["before"]["ts_nsec"]
        self.assertAlmostEqual(self.clock["drift_nsec"], apart // 10, delta=AT_ONCE)
        self.assertEqual((self.clock["printk_follows"], self.clock["steps"]), ("raw", []))

    def test_nothing_is_to_be_said(self) -> None:
        result = self.run_tool("-T")
        self.assertEqual((result.status, result.err), (0, ""))

    def test_since_counts_back_from_the_stop(self) -> None:
        found = self.run_tool("--since", "10 sec ago", "-t").out.decode()
        self.assertIn("mark after", found)
        self.assertNotIn("mark before", found)

    def test_who_selects_nothing_is_told(self) -> None:
        for options in (("--grep", "nosuch"), ("--level", "emerg"), ("--since", "+1min")):
            with self.subTest(options=options):
                result = self.run_tool(*options)
                self.assertEqual((result.status, result.out), (0, b""))
                self.assertEqual(result.err.count("\n"), 1)
                self.assertIn("nothing is printed: no record of the log is selected", result.err)
                self.assertEqual(self.run_tool("-q", *options).err, "")
        self.assertEqual(len(self.run_tool("--json", "--grep", "nosuch").json["warnings"]), 1)


class Set(ClockTests, unittest.TestCase):
    """The hardware's clock was years late; somebody set the guest's in silence, and then chrony set
    it back by an hour and said so."""

    name = "k612-set"

    def test_times_are_right_behind_the_step_that_nothing_tells_of(self) -> None:
        for mark in ("forward", "back", "later", "last"):
            # chrony's line says whole seconds, which the step was not.
            self.assertAlmostEqual(self.error(mark), 0, delta=SECOND // 2, msg=mark)

    def test_times_are_right_as_long_as_the_log_tells_the_earlier_time(self) -> None:
        self.assertEqual(self.clock["boot"][:16], "2020-01-01T00:00")
        taken = next(line for line in self.lines if "setting system clock to" in line["msg"])
        self.assertEqual(taken["timestamp"][:19], re.search(r"to (\S+) UTC", taken["msg"])[1])

    def test_the_step_is_said_wherever_times_of_day_are_asked_for(self) -> None:
        years = self.error("before") / SECOND
        for options in (("-T",), ("-e",), ("--time-format", "iso"), ("--format", "syslog"),
                        ("--format", "ecs"), ("--since", "1 hour ago"), ("--until", "now"),
                        ("--json", "--since", "1 hour ago")):
            with self.subTest(options=options):
                result = self.run_tool(*options)
                self.assertEqual(result.status, 1)
                self.assertIn(b"mark back", result.out)
                step = re.search(r"the guest's clock was set by ([+\d.]+) s between ([\d.]+) s since "
                                 r"boot and the stop", result.err)
                self.assertAlmostEqual(float(step[1]), years, delta=1)
                self.assertLess(float(step[2]) * SECOND, self.marks["before"]["ts_nsec"])

    def test_json_says_it_and_what_asks_for_no_time_of_day_does_not(self) -> None:
        self.assertEqual(self.result.status, 0)
        self.assertEqual(len(self.result.json["warnings"]), 1)
        silent, said = self.clock["steps"]
        self.assertEqual((silent["cause"], silent["placed"]), ("set", False))
        self.assertEqual((said["nsec"], said["placed"]), (-3600 * SECOND, True))
        for options in ((), ("-d",), ("--time-format", "suspend"), ("--format", "kmsg")):
            with self.subTest(options=options):
                result = self.run_tool(*options)
                self.assertEqual((result.status, result.err), (0, ""))


class Slept(ClockTests, unittest.TestCase):
    """In S3, until an alarm woke it up."""

    name = "k61-slept"

    def test_times_are_the_guests_own_before_and_behind_the_sleep(self) -> None:
        for mark in ("before", "after", "later", "last"):
            self.assertAlmostEqual(self.error(mark), 0, delta=AT_ONCE, msg=mark)

    def test_the_sleep_is_found(self) -> None:
        self.assertGreater(self.clock["sleep_nsec"], 4 * SECOND)
        self.assertEqual(self.clock["steps"],
                         [{"cause": "sleep", "nsec": self.clock["sleep_nsec"],
                           "ts_nsec": self.clock["steps"][0]["ts_nsec"], "placed": True,
                           "until_ts_nsec": None}])
        self.assertAlmostEqual(self.clock["uptime_nsec"],
                               self.marks["last"]["ts_nsec"] + self.clock["sleep_nsec"],
                               delta=SECOND)

    def test_nothing_is_to_be_said(self) -> None:
        result = self.run_tool("-T")
        self.assertEqual((result.status, result.err), (0, ""))
