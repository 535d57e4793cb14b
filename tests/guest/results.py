"""How each test ended, by name, and what is said of that."""

import dataclasses
import json
import traceback
import unittest

import repeats
import skips

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


class Collector(unittest.TestResult):
    """Prints what went wrong as soon as it did; knows the end of every test of a suite, of those too
    that were not run because their class could not be set up."""

    def __init__(self, tests: list[str]) -> None:
        super().__init__()
        self.ends: dict[str, str] = {}
        self.reasons: dict[str, str] = {}
        self._tests = tests

    def addSuccess(self, test: unittest.TestCase) -> None:
        self.ends.setdefault(test.id(), PASSED)

    def _failed(self, test: unittest.TestCase, name: str, err: tuple) -> None:
        print(f"\nFAILED {name}\n{''.join(traceback.format_exception(*err))}", flush=True)
        self.ends[test.id()] = FAILED

    def addFailure(self, test: unittest.TestCase, err: tuple) -> None:
        self._failed(test, test.id(), err)

    addError = addFailure

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: tuple) -> None:
        if err is not None:
            self._failed(test, subtest.id(), err)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        of_class = test.id() not in self._tests
        for name in self._tests if of_class else [test.id()]:
            self.ends.setdefault(name, SKIPPED)
            self.reasons[name] = reason

    def as_json(self) -> str:
        return json.dumps([{name: self.ends.get(name, FAILED) for name in self._tests}, self.reasons])


@dataclasses.dataclass
class Summary:
    """Of all classes that ran."""

    ends: dict[str, str] = dataclasses.field(default_factory=dict)
    reasons: dict[str, str] = dataclasses.field(default_factory=dict)
    repeated: list[str] = dataclasses.field(default_factory=list)

    def add(self, tests: list[str], written: str, said: str) -> dict[str, str]:
        """Takes what a class has written, nothing if it died, and said; returns its tests' ends."""
        ends, reasons = json.loads(written) if written else (dict.fromkeys(tests, FAILED), {})
        for name, reason in reasons.items():
            if ends[name] == SKIPPED and not skips.is_allowed(name, reason):
                ends[name] = FAILED
        self.ends |= ends
        self.reasons |= reasons
        self.repeated += [line for line in said.splitlines() if line.startswith(repeats.MARK)]
        return ends

    def lines(self) -> list[str]:
        """What is said last: repeated boots, skips and failures by name, and the count."""
        said = list(self.repeated)
        for name, end in sorted(self.ends.items()):
            if name in self.reasons:
                allowed = "skipped" if end == SKIPPED else "skipped, which is not allowed"
                said.append(f"{allowed}: {name}: {self.reasons[name]}")
            elif end == FAILED:
                said.append(f"failed: {name}")
        said.append(f"boots repeated: {len(self.repeated)}")
        return [*said, f"guest tests: {count(self.ends)}"]


def count(ends: dict[str, str]) -> str:
    number = {end: list(ends.values()).count(end) for end in (PASSED, FAILED, SKIPPED)}
    return f"{number[PASSED]} passed, {number[FAILED]} failed, {number[SKIPPED]} skipped"
