"""The trainer's loop against the bare forward, backward and step, in one process by turns. Prints one JSON object.

The loop reads, decodes, augments and reports, and saves a checkpoint at the end of each block; the bare step has its
batches ready as tensors, and no checks. Both compute the same network and loss.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from msgspec.structs import replace
from PIL import Image

from partloop_trainer.data.dataset import Batch
from partloop_trainer.process.devices import autocast
from partloop_trainer.job import Job, parse_job, read_job
from partloop_trainer.process.protocol import Reporter, StopFlag
from partloop_trainer.train import Run

CLASSES = 35
# More iterations than are measured.
NEVER = 100_000


class Quiet(Reporter):
    """Keep standard output for the answer only."""

    def emit(self, kind: str, **fields: object) -> None:
        if kind == "warning":
            print(json.dumps(fields), file=sys.stderr)

    def log(self, message: str) -> None:
        return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--job", help="a job.json, for its data and settings; without one, photos are made up")
    parser.add_argument("--preset", default="efficientnet_lite0")
    parser.add_argument("--weights", default="package", help="package, hub, random or a file")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--iterations", type=int, default=10, help="of each block")
    parser.add_argument("--blocks", type=int, default=4, help="of each kind")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="partloop-bench-") as folder:
        print(json.dumps(measure(make_job(options, Path(folder)), options.iterations, options.blocks)))


def make_job(options: argparse.Namespace, folder: Path) -> Job:
    """The given job, or one over made-up photos, with a work folder of its own and enough iterations."""
    iterations = options.iterations * (options.blocks + 1)
    if options.job:
        job = read_job(options.job)
        settings = replace(job.settings, iterations=iterations, checkpointEvery=NEVER)
        return replace(job, workDir=str(folder / "work"), val=None, settings=settings)
    return parse_job(
        {
            "version": 1, "workDir": str(folder / "work"), "train": str(make_photos(folder, options.batch * 4)),
            "classes": [f"class {index}" for index in range(CLASSES)], "mirrorPairs": [[1, 2]],
            "taxonomyDigest": "bench", "trainingSetDigest": "bench", "internal": {"loaderWorkers": options.workers},
            "settings": {
                "threads": options.threads, "preset": options.preset, "weights": options.weights,
                "imageSize": options.size, "iterations": iterations, "batchSize": options.batch,
                "checkpointEvery": NEVER,
            },
        }
    )  # fmt: skip


def make_photos(folder: Path, count: int) -> Path:
    """JPEG photos of 512×384 with blocky labels; returns the list."""
    random = np.random.default_rng(1)
    lines = []
    for index in range(count):
        label = random.integers(0, CLASSES, (12, 16), dtype=np.uint8).repeat(32, 0).repeat(32, 1)
        noise = random.integers(0, 40, (384, 512, 3))
        pixels = (label[..., None].astype(int) * np.array([5, 3, 6]) + noise).clip(0, 255).astype(np.uint8)
        image, mask = folder / f"{index}.jpg", folder / f"{index}.png"
        Image.fromarray(pixels).save(image, quality=90)
        Image.fromarray(label).save(mask)
        lines.append(json.dumps({"imageId": str(index), "image": str(image), "label": str(mask)}))
    (folder / "train.jsonl").write_text("\n".join(lines) + "\n")
    return folder / "train.jsonl"


def measure(job: Job, iterations: int, blocks: int) -> dict[str, object]:
    run = Run(job, Quiet(), StopFlag())
    run.resume()
    run.set_training()
    ready = list(run.loader.batches(0, min(4, iterations)))
    run_block(run, iterations)
    bare_block(run, ready, min(2, iterations))
    seconds: dict[str, list[float]] = {"full": [], "bare": []}
    for block in range(blocks):
        # In turns, and each kind is first equally often: a machine gets slower and faster by itself.
        for kind in ("full", "bare") if block % 2 == 0 else ("bare", "full"):
            start = time.perf_counter()
            if kind == "full":
                run_block(run, iterations)
            else:
                bare_block(run, ready, iterations)
            seconds[kind].append((time.perf_counter() - start) / iterations)
    full, bare = (float(np.median(seconds[kind])) for kind in ("full", "bare"))
    return {
        "device": run.device,
        "threads": job.settings.threads,
        "size": job.settings.imageSize,
        "batch": job.settings.batchSize,
        "preset": job.settings.preset,
        "iterationsPerSecond": {"full": round(1 / full, 4), "bare": round(1 / bare, 4)},
        "ratio": round(bare / full, 4),
        "blocks": {kind: [round(one, 5) for one in values] for kind, values in seconds.items()},
        "torch": str(torch.__version__),
    }


def run_block(run: Run, iterations: int) -> None:
    run.run_steps(run.iteration + iterations)
    run.writer.wait()


def bare_block(run: Run, ready: list[Batch], iterations: int) -> None:
    for number in range(iterations):
        batch = ready[number % len(ready)]
        pixels = batch.image.to(run.device).permute(0, 3, 1, 2).float()
        with autocast(run.device):
            outputs = run.model.all_stages(pixels)
        loss = run.gradients.total_loss(outputs, batch.label.to(run.device))
        run.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        run.optimizer.step()
    if run.device == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
