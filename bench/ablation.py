"""The value of each item of the recipe: the same training with one change, by seeds. Prints one JSON object.

Every run is a training of its own in its own folder: a restarted script continues at the first unfinished run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent / "trainer"
# Budgets: one for two hours on two cores, and the recipe's own on a GPU.
BUDGETS = {
    "laptop": {"size": 128, "iterations": 300, "batch": 8},
    "gpu": {"size": 512, "iterations": 60_000, "batch": 16},
}
# Changes of each arm to the job; `base` is the recipe.
ARMS: dict[str, dict[str, Any]] = {
    "base": {},
    "fixed-rate": {"settings": {"schedule": "fixed"}},
    "poly-rate": {"settings": {"schedule": "poly"}},
    "adam": {"settings": {"optimizer": "adam"}},
    "plain": {"settings": {"classWeightExponent": 0.0, "imageWeightExponent": 0.0}},
    "focal": {"settings": {"loss": "focal"}},
    "dice": {"settings": {"loss": "dice"}},
    "ce+dice": {"settings": {"loss": "ce+dice"}},
    "no-swap": {"mirrorPairs": []},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--job", required=True, help="a job.json with train, val, classes and mirrorPairs")
    parser.add_argument("--out", required=True, help="folder of the runs")
    parser.add_argument("--budget", choices=list(BUDGETS), default="laptop")
    parser.add_argument("--size", type=int)
    parser.add_argument("--iterations", type=int)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS))
    parser.add_argument("--minor", nargs="*", default=[], help="classes that are minor parts, reported separately")
    options = parser.parse_args()
    job = json.loads(Path(options.job).read_text("utf-8"))
    if not job.get("val"):
        sys.exit(f"{options.job} has no `val`: an ablation needs a separate list of images to judge by")
    budget = {name: getattr(options, name) or value for name, value in BUDGETS[options.budget].items()}
    sided = sorted({job["classes"][index] for pair in job.get("mirrorPairs") or [] for index in pair})
    groups = {"minor": options.minor, "sided": sided}
    arms = list(dict.fromkeys(["base", *options.arms]))
    results: dict[str, list[dict[str, Any]]] = {arm: [] for arm in arms}
    # Seed by seed, so that an interrupted ablation has whole comparisons.
    for seed in options.seeds:
        for arm in arms:
            found = train(job, arm, seed, budget, Path(options.out).resolve())
            results[arm].append({"seed": seed, **scores(found, groups)})
            print(f"{arm}, seed {seed}: mIoU {found['valMiou']:.4f}", file=sys.stderr, flush=True)
    print(json.dumps({"budget": budget, "seeds": options.seeds, "arms": summarised(results)}))


def train(job: dict[str, Any], arm: str, seed: int, budget: dict[str, int], out: Path) -> dict[str, Any]:
    """Run one training to its end, unless it has ended already; returns its result.json."""
    name = f"{arm}-{seed}-{budget['size']}-{budget['iterations']}-{budget['batch']}"
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    changes = ARMS[arm]
    merged = {
        **job,
        "workDir": str(folder),
        "seed": seed,
        "settings": {
            **job.get("settings", {}),
            "imageSize": budget["size"],
            "iterations": budget["iterations"],
            "batchSize": budget["batch"],
        },
    }
    for field, value in changes.items():
        merged[field] = {**merged.get(field, {}), **value} if isinstance(value, dict) else value
    result = folder / "result.json"
    path = folder / "job.json"
    wanted = json.dumps(merged, indent=1)
    if not (result.is_file() and path.is_file() and path.read_text("utf-8") == wanted):
        path.write_text(wanted, "utf-8")
        command = [sys.executable, "-m", "partloop_trainer", "train", "--job", str(path), "--no-stdin-watch"]
        environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
        ended = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if ended.returncode != 0:
            sys.exit(f"{name} ended with code {ended.returncode}: {ended.stderr[-1500:]}")
    return json.loads(result.read_text("utf-8"))


def scores(found: dict[str, Any], groups: dict[str, list[str]]) -> dict[str, float | None]:
    """mIoU over all classes, and over each group's."""
    answer: dict[str, float | None] = {"miou": found["valMiou"]}
    for name, classes in groups.items():
        values = [found["perClassIou"].get(one) for one in classes]
        known = [one for one in values if one is not None]
        answer[name] = sum(known) / len(known) if known else None
    return answer


def summarised(results: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Each arm's runs, their means, and the differences base - arm, seed by seed."""
    answer: dict[str, Any] = {}
    for arm, runs in results.items():
        row: dict[str, Any] = {"runs": runs}
        for score in ("miou", "minor", "sided"):
            values = [one[score] for one in runs]
            if None in values:
                continue
            gains = [base[score] - value for base, value in zip(results["base"], values, strict=True)]
            row[score] = {"mean": mean(values), "baseGains": gains, "meanGain": mean(gains)}
        answer[arm] = row
    return answer


def mean(values: list[float]) -> float:
    return round(sum(values) / len(values), 6)


if __name__ == "__main__":
    main()
