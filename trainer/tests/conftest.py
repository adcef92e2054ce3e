"""A tiny data set and job: coloured rectangles whose colour is the class, and a network that trains in milliseconds."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from partloop_trainer.job import Job, parse_job
from partloop_trainer.process.protocol import Reporter, StopFlag

CLASSES = ["background", "left_door", "right_door", "hood"]
COLOURS = [(90, 90, 90), (220, 40, 40), (40, 220, 40), (40, 40, 220)]


class Recorder(Reporter):
    """A reporter that keeps its messages."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []

    def emit(self, kind: str, **fields: object) -> None:
        self.events.append({"type": kind, **json.loads(json.dumps(fields, allow_nan=False))})

    def log(self, message: str) -> None:
        return

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.events if one["type"] == kind]


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `train.jsonl` of 8 images of 80×60 and their labels."""
    folder = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(5)
    lines = []
    for index in range(8):
        label = np.zeros((60, 80), np.uint8)
        for value in range(1, 4 if index % 2 else 3):
            x, y = random.integers(0, 55), random.integers(0, 40)
            label[y : y + 18, x : x + 24] = value
        image = np.asarray(COLOURS, np.uint8)[label]
        Image.fromarray(image).save(folder / f"{index}.png")
        Image.fromarray(label).save(folder / f"{index}.label.png")
        record = {
            "imageId": f"image{index}",
            "image": str(folder / f"{index}.png"),
            "label": str(folder / f"{index}.label.png"),
        }
        lines.append(json.dumps({**record, "ignore": [[0.0, 0.0, 0.1, 0.1]]} if index == 3 else record))
    (folder / "train.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def tiny_raw(data: Path, work: Path, **changes: Any) -> dict[str, Any]:
    """A decoded job of 6 steps; `changes` replace top-level fields, sections are merged."""
    raw: dict[str, Any] = {
        "version": 1,
        "workDir": str(work),
        "train": str(data / "train.jsonl"),
        "classes": CLASSES,
        "mirrorPairs": [[1, 2]],
        "taxonomyDigest": "t",
        "trainingSetDigest": "s",
        "settings": {
            "preset": "test_efficientnet",
            "stages": 2,
            "weights": "random",
            "imageSize": 64,
            "iterations": 6,
            "batchSize": 2,
            "checkpointEvery": 2,
            "threads": 1,
        },
        "internal": {"width": 16, "heads": 2},
        "progressEvery": 1,
    }
    for name, value in changes.items():
        raw[name] = {**raw[name], **value} if isinstance(value, dict) and name in raw else value
    return raw


@pytest.fixture
def make_job(data: Path, tmp_path: Path) -> Callable[..., Job]:
    def make(folder: str = "work", **changes: Any) -> Job:
        return parse_job(tiny_raw(data, tmp_path / folder, **changes))

    return make


def run_here(job: Job, stop: StopFlag | None = None) -> Recorder:
    """Train in this process."""
    from partloop_trainer.train import train

    recorder = Recorder()
    train(job, recorder, stop or StopFlag())
    return recorder


class Child:
    """The trainer as a process, as its parent starts it; `lines` are its JSON lines as they come."""

    def __init__(self, raw: dict[str, Any], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "job.json"
        path.write_text(json.dumps(raw))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "partloop_trainer", "train", "--job", str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent.parent,
        )

    def lines(self) -> Iterator[dict[str, Any]]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield json.loads(line)

    def wait_for(self, kind: str, iteration: int = 0) -> dict[str, Any]:
        for one in self.lines():
            if one["type"] == kind and one.get("iteration", iteration) >= iteration:
                return one
        raise AssertionError(
            f"the trainer ended without `{kind}`: {self.process.stderr and self.process.stderr.read()}"
        )

    def end(self) -> tuple[int, list[dict[str, Any]], str]:
        """Wait for the end: exit code, remaining lines, last line of stderr."""
        rest = list(self.lines())
        assert self.process.stderr is not None
        errors = self.process.stderr.read().splitlines()
        code = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        return code, rest, errors[-1] if errors else ""
