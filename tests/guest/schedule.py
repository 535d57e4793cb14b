"""Which job may begin while others run."""

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Job:
    name: str
    memory: int = 0  # bytes, with the programs that it starts
    seconds: float = math.inf  # that it took the last time
    first: bool = False  # others wait for what it makes
    alone: bool = False  # it needs every processor: when all others are done


def ordered(jobs: list[Job]) -> list[Job]:
    """Long ones first, so that the last to end are short; those that run alone last."""
    return sorted(jobs, key=lambda job: (job.alone, not job.first, -job.seconds))


def next_job(waiting: list[Job], running: list[Job], workers: int, memory: int) -> Job | None:
    """The first of `waiting` that there is a worker and memory for; one that is too large for this
    machine begins when nothing else runs."""
    if len(running) >= workers or any(job.alone for job in running):
        return None
    used = sum(job.memory for job in running)
    for job in waiting:
        if not running or (not job.alone and used + job.memory <= memory):
            return job
    return None
