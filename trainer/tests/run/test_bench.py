"""The measuring scripts run to their end at a tiny size and print one JSON object; their figures are not judged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from conftest import tiny_raw

ROOT = Path(__file__).parents[3]


def answer(script: str, *arguments: str) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, str(ROOT / "bench" / script), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "trainer")},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ended.returncode == 0, ended.stderr
    (line,) = ended.stdout.splitlines()
    return json.loads(line)


def test_the_full_path_is_measured_against_the_bare_step(data: Path, tmp_path: Path) -> None:
    job = tmp_path / "job.json"
    job.write_text(json.dumps(tiny_raw(data, tmp_path / "work")))
    found = answer("train.py", "--job", str(job), "--iterations", "2", "--blocks", "2")
    assert found["ratio"] > 0 and len(found["blocks"]["full"]) == len(found["blocks"]["bare"]) == 2
    assert not (tmp_path / "work").exists()


def test_the_step_alone_is_measured_for_each_batch_size() -> None:
    small = "--device cpu --preset test_efficientnet --size 64 --width 16 --classes 4 --steps 1 --warm-up 1"
    rows = answer("train_gpu.py", *small.split(), "--batches", "1", "2")["rows"]
    assert [one["batch"] for one in rows] == [1, 2]
    assert all(one["imagesPerSecond"] > 0 and one["teraflopsPerSecond"] >= 0 for one in rows)


def test_an_ablation_trains_each_arm_and_finds_finished_ones(data: Path, tmp_path: Path) -> None:
    raw = tiny_raw(data, tmp_path / "unused", val=str(data / "train.jsonl"))
    job = tmp_path / "job.json"
    job.write_text(json.dumps(raw))
    budget = "--size 64 --iterations 2 --batch 2 --seeds 1 --arms no-swap --minor hood"
    options = ["--job", str(job), "--out", str(tmp_path / "runs"), *budget.split()]
    arms = answer("ablation.py", *options)["arms"]
    assert set(arms) == {"base", "no-swap"} and arms["base"]["miou"]["meanGain"] == 0
    assert {"miou", "minor", "sided"} <= set(arms["no-swap"])
    done = (tmp_path / "runs" / "base-1-64-2-2" / "result.json").stat().st_mtime_ns
    assert answer("ablation.py", *options)["arms"] == arms
    assert (tmp_path / "runs" / "base-1-64-2-2" / "result.json").stat().st_mtime_ns == done
