"""The learning rate range test (Smith 2017, section 3.3): finds the rates that a data set bears before a long run.

The rates of all groups rise together, exponentially, over the job's iterations; nothing is saved.
"""

from __future__ import annotations

import math
import shutil
import time
from itertools import pairwise
from pathlib import Path

from msgspec.structs import replace

from .job import Job
from .process.protocol import Reporter, StopFlag, TrainerError
from .train import Run

LOWEST_FACTOR, HIGHEST_FACTOR = 1e-3, 1e2
# Above this multiple of the best smoothed loss the run has diverged, and higher rates show nothing more.
DIVERGED = 4.0
SMOOTHING = 0.8


def lr_range(job: Job, reporter: Reporter, stop: StopFlag) -> None:
    """Emit `progress` for every rate and `lr-range` with the head rate at the steepest fall, or null."""
    scratch = Path(job.workDir) / "lr-range"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        run = Run(replace(job, workDir=str(scratch), val=None), reporter, stop)
        run.resume()
        run.set_training()
        points = measure(run, stop)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    reporter.emit("lr-range", suggestedLrHead=steepest(points), points=[list(one) for one in points])


def measure(run: Run, stop: StopFlag) -> list[tuple[float, float]]:
    """(head rate, smoothed loss) of each step until the loss diverges."""
    last = run.job.settings.iterations
    points: list[tuple[float, float]] = []
    smooth, best = 0.0, math.inf
    start = time.monotonic()
    for batch in run.loader.batches(0, last):
        stop.check()
        factor = LOWEST_FACTOR * (HIGHEST_FACTOR / LOWEST_FACTOR) ** (batch.iteration / max(1, last - 1))
        try:
            loss = run.step(batch, factor)
        except TrainerError as error:
            if error.code != "loss-not-finite":
                raise
            break
        smooth = SMOOTHING * smooth + (1 - SMOOTHING) * loss
        value = smooth / (1 - SMOOTHING ** (batch.iteration + 1))
        best = min(best, value)
        rate = run.job.settings.lrHead * factor
        points.append((rate, value))
        pace = (time.monotonic() - start) / (batch.iteration + 1)
        run.reporter.emit(
            "progress", iteration=batch.iteration + 1, loss=round(value, 6), lr=rate,
            secondsPerIteration=round(pace, 4), etaSeconds=round(pace * (last - batch.iteration - 1), 1),
        )  # fmt: skip
        if value > DIVERGED * best:
            break
    return points


def steepest(points: list[tuple[float, float]]) -> float | None:
    """The rate at which the loss falls fastest, None if it never falls; rates are even in their logarithm."""
    falls = [(after[1] - before[1], after[0]) for before, after in pairwise(points)]
    fall, rate = min(falls, default=(0.0, 0.0))
    return rate if fall < 0 else None
