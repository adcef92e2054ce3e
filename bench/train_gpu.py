"""The training step on random pictures on the device: images/s, memory, share of the peak, as one JSON object.

FLOPs are those of matrix products and convolutions in one forward and backward pass, as PyTorch counts them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from partloop_trainer.process.devices import choose_device, compiles, configure, place, uses_bfloat16
from partloop_trainer.job import Job, parse_job
from partloop_trainer.model.losses import SegmentationLoss
from partloop_trainer.model.knet import build_model
from partloop_trainer.optim.optimizer import LARGEST_GRADIENT, build_optimizer
from partloop_trainer.process.protocol import Reporter, TrainerError
from partloop_trainer.process.ranks import Ranks
from partloop_trainer.optim.step import Step

# Dense bf16 TFLOPS from the makers' data sheets.
PEAKS = {"H200": 989.0, "H100 PCIe": 756.0, "H100": 989.0, "A100": 312.0, "L40S": 362.0, "L4": 121.0, "A10": 125.0}


class Quiet(Reporter):
    """Keep standard output for the answer only."""

    def emit(self, kind: str, **fields: object) -> None:
        print(json.dumps({"type": kind, **fields}), file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="swin_tiny")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--batches", type=int, nargs="+", default=[16, 32, 64])
    parser.add_argument("--classes", type=int, default=35)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--neck", choices=["auto", "fpn", "upernet"], default="auto")
    parser.add_argument("--steps", type=int, default=30, help="measured steps of each batch size")
    parser.add_argument("--warm-up", type=int, default=10)
    parser.add_argument("--compile", choices=["auto", "on", "off"], default="auto")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda", help="cpu: to try the script")
    parser.add_argument("--peak-tflops", type=float, help="dense bf16 peak of a device that is not in the table")
    options = parser.parse_args()
    rows = []
    for batch in options.batches:
        try:
            rows.append(measure(options, batch))
        except TrainerError as error:
            if error.code == "job-invalid":
                sys.exit(f"{error.message}: {error.hint}")
            rows.append({"batch": batch, "error": error.message})
    device = torch.cuda.get_device_name() if options.device == "cuda" else "cpu"
    print(json.dumps({"device": device, "torch": str(torch.__version__), "preset": options.preset, "rows": rows}))


def job_of(options: argparse.Namespace, batch: int) -> Job:
    return parse_job(
        {
            "version": 1, "workDir": "/nowhere", "train": "/nowhere", "taxonomyDigest": "", "trainingSetDigest": "",
            "classes": [f"class {index}" for index in range(options.classes)],
            "settings": {
                "preset": options.preset, "neck": options.neck, "weights": "random", "imageSize": options.size,
                "batchSize": batch, "compile": options.compile,
            },
            "internal": {"width": options.width, "device": options.device},
        }
    )  # fmt: skip


def measure(options: argparse.Namespace, batch: int) -> dict[str, Any]:
    """One batch size, from a fresh network."""
    job = job_of(options, batch)
    device = choose_device(job)
    configure(job)
    ranks = Ranks()
    model = place(build_model(job, load_weights=True), job, device, ranks)
    model.train()
    loss = SegmentationLoss(job.settings, torch.ones(options.classes, device=device))
    step = Step(job, model, loss, device, ranks, Quiet())
    optimizer = build_optimizer(model, job.settings)
    random = torch.Generator().manual_seed(1)
    image = torch.randint(0, 256, (batch, options.size, options.size, 3), dtype=torch.uint8, generator=random)
    label = torch.randint(0, options.classes, image.shape[:3], dtype=torch.uint8, generator=random)
    image, label = image.to(device), label.to(device)

    def one() -> None:
        step.gradients(image, label, 0)
        torch.nn.utils.clip_grad_norm_(model.parameters(), LARGEST_GRADIENT)
        optimizer.step()

    for _ in range(options.warm_up):
        one()
    synchronize(device)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    for _ in range(options.steps):
        one()
    synchronize(device)
    seconds = (time.perf_counter() - start) / options.steps
    memory = torch.cuda.max_memory_allocated() / 2**30 if device == "cuda" else None
    plain = Step(parse_plain(options), model, loss, device, ranks, Quiet())
    with FlopCounterMode(display=False) as counter:
        plain.gradients(image[:1], label[:1], 0)
    flops = counter.get_total_flops() * batch
    peak = options.peak_tflops or next(
        (value for name, value in PEAKS.items() if device == "cuda" and name in torch.cuda.get_device_name()), None
    )
    return {
        "batch": batch,
        "secondsPerStep": round(seconds, 5),
        "imagesPerSecond": round(batch / seconds, 2),
        "memoryGib": None if memory is None else round(memory, 2),
        "teraflopsPerSecond": round(flops / seconds / 1e12, 2),
        "shareOfPeak": None if peak is None else round(flops / seconds / 1e12 / peak, 4),
        "parameters": sum(one.numel() for one in model.parameters()),
        "bfloat16": uses_bfloat16(device),
        "compiled": compiles(job, device),
        "parts": step.split,
    }


def parse_plain(options: argparse.Namespace) -> Job:
    """The job for counting: not compiled, since the counter sees single operators only."""
    return job_of(argparse.Namespace(**{**vars(options), "compile": "off"}), 1)


def synchronize(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
