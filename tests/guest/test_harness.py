"""What the tests' own machinery promises: which boots are repeated, which skips pass, what is kept, and what
runs beside what."""

import contextlib
import io
import json
import os
import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

import answers
import contents
import kernels
import paths
import patterns
import peers
import repeats
import skips
import systems
from results import FAILED, PASSED, SKIPPED, Collector, Summary
from schedule import Job, next_job, ordered

MIB = 1 << 20


class OwnCache(unittest.TestCase):
    """A cache that nothing else is in."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.enterContext(mock.patch.dict(os.environ,
                                          {"PHOTON_DMESG_TEST_CACHE": str(self.folder / "cache")}))

    def file(self, name: str, content: bytes) -> Path:
        (self.folder / name).write_bytes(content)
        return self.folder / name


class Repeats(unittest.TestCase):
    def boots(self, *ends: object) -> tuple[object, str]:
        """What comes of boots that end so, one after the other, and what is printed."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            try:
                return repeats.started("k61", mock.Mock(side_effect=ends)), said.getvalue()
            except RuntimeError as error:
                return error, said.getvalue()

    def test_a_boot_that_dies_before_its_script_is_repeated_by_name(self) -> None:
        end, said = self.boots(repeats.DiedBeforeScript("int3"), "monitor")
        self.assertEqual((end, said), ("monitor", "boot repeated: k61: int3\n"))

    def test_at_most_three_times(self) -> None:
        deaths = [repeats.DiedBeforeScript(str(number)) for number in range(5)]
        self.assertEqual(self.boots(*deaths[:3], "monitor")[0], "monitor")
        end, said = self.boots(*deaths)
        self.assertIs(end, deaths[3])
        self.assertEqual(said.count("boot repeated: k61"), 3)

    def test_a_guest_that_dies_later_is_an_error(self) -> None:
        error = RuntimeError("later")
        self.assertEqual(self.boots(error, "monitor"), (error, ""))


class Skips(unittest.TestCase):
    def summary(self, reason: str) -> Summary:
        summary = Summary()
        tests = ["test_log.K510.test_a", "test_log.K510.test_b"]
        summary.add(tests, json.dumps([{tests[0]: PASSED, tests[1]: SKIPPED}, {tests[1]: reason}]), "")
        return summary

    def test_a_suite_that_is_gone_may_be_skipped_and_is_named(self) -> None:
        lines = self.summary("Debian no longer offers its suite bullseye").lines()
        self.assertIn("skipped: test_log.K510.test_b: Debian no longer offers its suite bullseye", lines)
        self.assertEqual(lines[-1], "guest tests: 1 passed, 0 failed, 1 skipped")

    def test_any_other_skip_fails(self) -> None:
        lines = self.summary("no time").lines()
        self.assertIn("skipped, which is not allowed: test_log.K510.test_b: no time", lines)
        self.assertEqual(lines[-1], "guest tests: 1 passed, 1 failed, 0 skipped")

    def test_a_reason_is_for_its_test_alone(self) -> None:
        reason = "no loop device can be had here: losetup: /dev/loop-control: No such file"
        self.assertTrue(skips.is_allowed("test_media.Media.test_a_block_device", reason))
        self.assertFalse(skips.is_allowed("test_media.Media.test_a_pipe", reason))

    def test_a_mirror_that_cannot_be_reached_is_no_suite_that_is_gone(self) -> None:
        self.assertTrue(kernels.GONE.search("E: The repository 'x' does not have a Release file."))
        self.assertTrue(kernels.GONE.search("Err:1 http://x bullseye Release 404  Not Found"))
        self.assertFalse(kernels.GONE.search("Could not resolve 'mirror.example'"))


    def test_only_root_runs_in_another_system(self) -> None:
        with mock.patch("os.geteuid", return_value=1000), self.assertRaises(unittest.SkipTest) as skip:
            systems.system("trixie")
        self.assertTrue(skips.is_allowed("test_bundle.Bundle.test_debian_13", str(skip.exception)))

    def test_a_container_that_forbids_another_system_is_no_failed_download(self) -> None:
        self.assertTrue(systems.FORBIDDEN.search("E: Cannot install into target '/x' mounted with noexec or nodev"))
        self.assertFalse(systems.FORBIDDEN.search("E: Failed getting release file"))


class Results(unittest.TestCase):
    def ends(self, kind: type) -> tuple[dict[str, str], dict[str, str]]:
        suite = unittest.defaultTestLoader.loadTestsFromTestCase(kind)
        collector = Collector([test.id() for test in suite])
        with contextlib.redirect_stdout(io.StringIO()):
            suite.run(collector)
        ends, reasons = json.loads(collector.as_json())
        return ({name.rpartition(".")[2]: end for name, end in ends.items()}, reasons)

    def test_each_end_is_known(self) -> None:
        class Sample(unittest.TestCase):
            def test_good(self) -> None:
                pass

            def test_bad(self) -> None:
                self.fail()

            def test_part(self) -> None:
                for number in range(3):
                    with self.subTest(number=number):
                        self.assertEqual(number % 2, 0)

            def test_skipped(self) -> None:
                self.skipTest("why")

        ends, reasons = self.ends(Sample)
        self.assertEqual(ends, {"test_good": PASSED, "test_bad": FAILED, "test_part": FAILED,
                                "test_skipped": SKIPPED})
        self.assertEqual(list(reasons.values()), ["why"])

    def test_every_test_of_a_class_that_is_not_set_up_counts(self) -> None:
        for error, end in ((RuntimeError("no guest"), FAILED), (unittest.SkipTest("gone"), SKIPPED)):
            class Sample(unittest.TestCase):
                @classmethod
                def setUpClass(cls, error: Exception = error) -> None:
                    raise error

                def test_a(self) -> None:
                    pass

                def test_b(self) -> None:
                    pass

            self.assertEqual(self.ends(Sample)[0], {"test_a": end, "test_b": end})

    def test_a_process_that_died_has_failed_and_its_repeated_boots_count(self) -> None:
        summary = Summary()
        summary.add(["a", "b"], "", "boot repeated: k61: int3\nelse\n")
        self.assertEqual(summary.lines(), ["boot repeated: k61: int3", "failed: a", "failed: b",
                                           "boots repeated: 1",
                                           "guest tests: 0 passed, 2 failed, 0 skipped"])


class Answers(OwnCache):
    def test_the_same_bytes_under_another_name_have_the_same_answer(self) -> None:
        one, other = self.file("one", b"same"), self.file("other", b"same")
        self.assertEqual(answers.of(["wc", "-c", one]), b"4 %s\n" % bytes(one))
        self.assertEqual(answers.of(["wc", "-c", other]), b"4 %s\n" % bytes(one))

    def test_whatever_matters_is_in_the_key(self) -> None:
        file, beside = self.file("file", b"1"), self.file("beside", b"1")
        keys = [answers.key(["wc", file]), answers.key(["wc", "-c", file]), answers.key(["cat", file]),
                answers.key(["wc", file], [beside]), answers.key(["wc", file], [file])]
        with mock.patch.object(answers, "version", return_value="another"):
            keys.append(answers.key(["wc", file]))
        os.utime(self.file("file", b"2"), ns=(1, 1))
        keys.append(answers.key(["wc", file]))
        self.assertEqual(len(set(keys)), len(keys))

    def test_what_failed_is_asked_again(self) -> None:
        file = self.file("file", b"exit 1")
        answers.of(["sh", file])
        self.assertFalse((paths.cache() / "answers").exists())

    def test_holes_do_not_matter_and_bytes_do(self) -> None:
        content = bytes(3 * MIB) + b"x" + bytes(MIB)
        full, sparse = self.file("full", content), self.folder / "sparse"
        paths.copy_sparse(full, sparse)
        self.assertLess(sparse.stat().st_blocks, full.stat().st_blocks)
        self.assertEqual(contents.key(full), contents.key(sparse))
        for other in (content[:-1], content[1:], content.replace(b"x", b"y")):
            self.assertNotEqual(contents.key(self.file("other", other)), contents.key(full))

    def test_a_file_that_lasts_is_read_once(self) -> None:
        file = self.file("file", b"1")
        os.utime(file, (1, 1))
        first = contents.key(file)
        with mock.patch.object(contents, "_read", side_effect=AssertionError):
            self.assertEqual(contents.key(file), first)


class Made(OwnCache):
    def test_of_two_who_want_it_one_makes_it(self) -> None:
        made = []

        def make(work: Path) -> None:
            made.append(work)
            barrier.wait(5)
            (work / "content").write_text("whole")

        barrier = threading.Barrier(2)
        threads = [threading.Thread(target=paths.made_once, args=(self.folder / "made", make))
                   for _ in range(2)]
        for thread in threads:
            thread.start()
        barrier.wait(5)
        for thread in threads:
            thread.join()
        self.assertEqual(len(made), 1)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["made"])

    def test_what_fails_leaves_nothing_under_the_name(self) -> None:
        with self.assertRaises(RuntimeError):
            paths.made_once(self.folder / "made", mock.Mock(side_effect=RuntimeError))
        self.assertFalse((self.folder / "made").exists())
        paths.made_once(self.folder / "made", lambda work: (work / "content").touch())
        self.assertTrue((self.folder / "made/content").exists())


class Patterns(OwnCache):
    def test_every_place_is_found_and_zeroed(self) -> None:
        content = b"ab" + bytes(MIB) + b"abab" + bytes(10)
        original, copy = self.file("original", content), self.file("copy", content)
        self.assertEqual(patterns.offsets(original, b"ab"), [0, MIB + 2, MIB + 4])
        patterns.blank(copy, original, b"ab")
        self.assertEqual(copy.read_bytes(), content.replace(b"ab", b"\0\0"))


class Schedule(unittest.TestCase):
    def order(self, jobs: list[Job], workers: int, memory: int) -> list[set[str]]:
        """Who runs together, if the one that began first ends first."""
        waiting, running, together = ordered(jobs), [], []
        while waiting or running:
            while job := next_job(waiting, running, workers, memory):
                waiting.remove(job)
                running.append(job)
            self.assertGreater(len(running), 0, "nothing can begin")
            together.append({job.name for job in running})
            running.pop(0)
        return together

    def test_no_more_than_there_are_workers(self) -> None:
        together = self.order([Job(str(number)) for number in range(9)], 3, 0)
        self.assertEqual(max(map(len, together)), 3)

    def test_no_more_than_memory_holds(self) -> None:
        jobs = [Job("a", 6, 3), Job("b", 5, 2), Job("c", 4, 1)]
        self.assertEqual(self.order(jobs, 3, 10), [{"a", "c"}, {"c", "b"}, {"b"}])

    def test_what_is_too_large_runs_by_itself(self) -> None:
        self.assertEqual(self.order([Job("large", 20, 2), Job("small", 1, 1)], 2, 10),
                         [{"large"}, {"small"}])

    def test_the_storm_is_last_and_alone(self) -> None:
        jobs = [Job("storm", alone=True), Job("a", seconds=1), Job("b", seconds=2)]
        self.assertEqual(self.order(jobs, 2, 10), [{"b", "a"}, {"a"}, {"storm"}])

    def test_guests_are_first_and_long_ones_before_short_ones(self) -> None:
        jobs = [Job("short", seconds=1), Job("long", seconds=9), Job("guest", seconds=0, first=True)]
        self.assertEqual([job.name for job in ordered(jobs)], ["guest", "long", "short"])


class Selection(unittest.TestCase):
    def test_tests_that_peers_judge_are_known(self) -> None:
        @peers.judged
        class Sample(unittest.TestCase):
            def test_a(self) -> None:
                pass

        class Other(Sample):
            def test_b(self) -> None:
                pass

        self.assertTrue(peers.judges(Sample("test_a")))
        self.assertEqual((peers.judges(Other("test_a")), peers.judges(Other("test_b"))), (True, False))


if __name__ == "__main__":
    unittest.main()
