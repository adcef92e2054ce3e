"""Training, read from top to bottom: setup → fit → finish.

Every step depends only on the job and on its number, so a run that was killed and resumed ends with the same bits.
"""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from .data.dataset import Batch, ImageSet, Loader, label_counts, read_records
from .data.sampling import Sampler, class_weights, image_weights
from .evaluate import Metrics, evaluate
from .export import export
from .identity import identity
from .job import Job
from .model.average import Average
from .model.knet import build_model
from .model.losses import SegmentationLoss
from .optim.optimizer import LARGEST_GRADIENT, build_optimizer
from .optim.schedule import rate_factor, size_at
from .optim.step import Step
from .process.checkpoint import (
    Checkpoints,
    Saved,
    environment,
    replace_durably,
    sha256_file,
    warm_start,
    weights_digest,
    write_json,
)
from .process.devices import choose_device, compiles, configure, place, uses_bfloat16
from .process.protocol import Reporter, StopFlag, TrainerError
from .process.ranks import join_ranks
from .process.room import bytes_of, room_for
from .process.writer import Writer

# Largest number of bytes of prepared images that stay in memory.
CACHE_BYTES = 1_000_000_000


def train(job: Job, reporter: Reporter, stop: StopFlag) -> None:
    """Train, validate, export; resumes from the newest checkpoint of the work folder. Raises `TrainerError`.

    With `stopAfter` the run is measured and ended there: a job with a later end continues from its checkpoint.
    """
    started_at = time.monotonic()
    run = Run(job, reporter, stop)
    run.resume()
    run.fit()
    if not run.ranks.is_first:
        return
    if job.stopAfter is None:
        run.finish(started_at)
    else:
        run.leave(started_at)


class Run:
    """Everything a training run holds. Work folder: `checkpoints/`, and at the end the files of `result.json`."""

    def __init__(self, job: Job, reporter: Reporter, stop: StopFlag) -> None:
        self.job, self.reporter, self.stop = job, reporter, stop
        self.folder = Path(job.workDir)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.device = choose_device(job)
        configure(job)
        self.ranks = join_ranks(self.device)
        self.environment = environment(
            job.settings.threads, self.device, self.ranks.size, uses_bfloat16(self.device), compiles(job, self.device)
        )
        self.identity = identity(job)
        self.checkpoints = Checkpoints(self.folder / "checkpoints", job.keepCheckpoints)

        classes = len(job.classes)
        records = read_records(job.train)
        self.images = ImageSet(records, classes, CACHE_BYTES)
        self.validation = ImageSet(read_records(job.val), classes, 0) if job.val else None
        cache, workers = self.folder / "label-counts.npz", job.internal.loaderWorkers or job.settings.threads
        # The first process counts; the others read its counts.
        if not self.ranks.is_first:
            self.ranks.wait()
        counts = label_counts(records, classes, cache, job.trainingSetDigest, workers, stop)
        if self.ranks.is_first:
            self.ranks.wait()
        if not counts.any():
            raise TrainerError("data-unusable", f"no image of {job.train} has a labelled pixel")
        sampler = Sampler(job.seed, image_weights(counts, job.settings.imageWeightExponent))
        self.sampler = sampler
        self.loader = Loader(
            job, self.images, sampler, lambda iteration: size_at(job.settings, iteration),
            self.ranks.positions(job.settings.batchSize),
        )  # fmt: skip
        weights = class_weights(counts, job.settings.classWeightExponent)
        loss = SegmentationLoss(job.settings, torch.tensor(weights, dtype=torch.float32, device=self.device))

        self.saved = self.checkpoints.newest(reporter)
        self.model = build_model(job, load_weights=self.saved is None and job.warmStart is None)
        self.model = place(self.model, job, self.device, self.ranks)
        self.ranks.share(self.model)
        if not self.ranks.is_first:
            # Drop path draws other values for each process's images.
            torch.manual_seed(job.seed + 1 + self.ranks.rank)
        self.parameters = sum(one.numel() for one in self.model.parameters())
        self.optimizer = build_optimizer(self.model, job.settings)
        self.writer = Writer(self.checkpoints, self.identity, self.saved_one)
        self.gradients = Step(job, self.model, loss, self.device, self.ranks, reporter)
        self.average = Average(job.settings.ema) if job.settings.ema else None
        self.iteration = 0

    def resume(self) -> None:
        """Continue from the newest checkpoint, otherwise start from the warm start's or the backbone's weights."""
        job = self.job
        if self.saved is not None:
            state = self.checkpoints.load(self.saved, self.identity)
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            if self.average is not None:
                self.average.load(state["average"], self.device)
            # With more processes than before the environment differs, and a warning below tells so.
            random = state["random"][self.ranks.rank % len(state["random"])]
            torch.set_rng_state(random["cpu"])
            if self.device == "cuda" and random["cuda"] is not None:
                torch.cuda.set_rng_state(random["cuda"])
            self.gradients.split = state["split"]
            self.iteration = self.saved.iteration
            before = state["environment"]
            # Values that an older checkpoint does not record are not compared.
            changed = [f"{name} {before[name]} → {value}" for name, value in self.environment.items()
                       if name in before and before[name] != value]  # fmt: skip
            if changed:
                self.reporter.warn("resume-not-exact", f"the run resumes, but not bit-exactly: {', '.join(changed)}")
        elif job.warmStart is not None:
            weights = warm_start(Path(job.warmStart), job.taxonomyDigest, self.model.state_dict())
            self.model.load_state_dict(weights)
            self.reporter.warn(
                "warm-started", f"weights come from {Path(job.warmStart).name}, not from the backbone's pretraining"
            )
        if self.saved is None and self.validation is not None and self.ranks.is_first:
            # This shows a broken validation set now, not after hours of training.
            self.measure(limit=2)
        self.reporter.emit(
            "started", iterations=job.settings.iterations, resumedFrom=self.saved.iteration if self.saved else None,
            device=self.device, trainImages=len(self.images.records),
            valImages=len(self.validation.records) if self.validation else 0, parameters=self.parameters,
        )  # fmt: skip
        self.reporter.log(
            f"train {len(self.images.records)} images on {self.device}, "
            f"iterations {self.iteration} → {job.settings.iterations}"
        )

    def fit(self) -> None:
        """The loop: one batch, one step, a checkpoint every so often; a stop saves at the step's end."""
        last = self.job.stopAfter or self.job.settings.iterations
        self.set_training()
        try:
            self.run_steps(last)
        finally:
            # A checkpoint that is being written is kept, whatever ends the run.
            self.writer.wait()

    def run_steps(self, last: int) -> None:
        job = self.job
        since, since_iteration = time.monotonic(), self.iteration
        losses: list[float] = []
        for batch in self.loader.batches(self.iteration, last):
            losses.append(self.step(batch, rate_factor(job.settings, batch.iteration)))
            self.iteration = batch.iteration + 1
            if self.iteration % job.progressEvery == 0 or self.iteration == last:
                now = time.monotonic()
                pace = (now - since) / (self.iteration - since_iteration)
                since, since_iteration = now, self.iteration
                mean_loss = float(np.mean(losses))
                rate = job.settings.lrHead * rate_factor(job.settings, batch.iteration)
                losses = []
                self.reporter.emit(
                    "progress", iteration=self.iteration, loss=round(mean_loss, 6), lr=rate,
                    secondsPerIteration=round(pace, 4), etaSeconds=round(pace * (last - self.iteration), 1),
                )  # fmt: skip
                self.reporter.log(f"iteration {self.iteration}/{last}  loss {mean_loss:.4f}  {pace:.2f} s/iteration")
            # A stop that reaches one process from here on is seen by all after the next step: saving takes all of them.
            stopped = self.ranks.any(self.stop.is_set(), self.device)
            if self.iteration % job.settings.checkpointEvery == 0 or self.iteration == last or stopped:
                self.save()
            if stopped:
                self.stop.set("another process of this run was stopped")
                self.stop.check()

    def step(self, batch: Batch, factor: float) -> float:
        """One optimizer step at `factor` times the peak rates; returns the loss.

        Raises `loss-not-finite` naming the images of the batch.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor
        loss = self.gradients.gradients(batch.image, batch.label, batch.iteration)
        gradient = nn.utils.clip_grad_norm_(self.model.parameters(), LARGEST_GRADIENT)
        value = float(loss)
        if not (math.isfinite(value) and math.isfinite(float(gradient))):
            count = self.job.settings.batchSize
            numbers = range(batch.iteration * count, (batch.iteration + 1) * count)
            names = sorted({self.images.records[self.sampler.index(number)].image_id for number in numbers})
            where = f"iteration {batch.iteration} on images {', '.join(names[:20])}"
            message = f"loss {value}, gradient norm {float(gradient)} in {where}"
            raise TrainerError("loss-not-finite", message, "lower the learning rates, or check these images")
        self.optimizer.step()
        if self.average is not None:
            self.average.update(self.model, batch.iteration)
        return value

    def set_training(self) -> None:
        """Training mode; if the job freezes the backbone's batch norm, that stays in evaluation mode."""
        self.model.train()
        if self.job.settings.freezeNorm:
            for module in self.model.backbone.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()

    def save(self) -> None:
        """Copy the state after `iteration` steps; a thread writes the file, and reports it when it is whole."""
        cuda = torch.cuda.get_rng_state() if self.device == "cuda" else None
        random = self.ranks.gather({"cpu": torch.get_rng_state(), "cuda": cuda})
        if not self.ranks.is_first:
            return
        state: dict[str, Any] = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.state if self.average is not None else None,
            "random": random,
            "split": self.gradients.split,
            "environment": self.environment,
            "taxonomyDigest": self.job.taxonomyDigest,
        }
        self.writer.save(self.iteration, state)

    def saved_one(self, saved: Saved) -> None:
        path = str(saved.path.relative_to(self.folder))
        self.reporter.emit("checkpoint", iteration=saved.iteration, path=path, sha256=saved.sha256)

    def measure(self, limit: int | None = None) -> Metrics:
        """Validate on the whole list, or on its first images."""
        job = self.job
        if self.validation is None:
            return Metrics(None, [None] * len(job.classes))
        workers = job.internal.loaderWorkers or job.settings.threads
        return evaluate(
            self.model,
            self.validation,
            len(job.classes),
            job.settings.imageSize,
            job.validationSize,
            job.settings.batchSize,
            workers,
            self.stop,
            limit,
        )

    def validate(self) -> tuple[Metrics, dict[str, float | None]]:
        """Metrics and IoU by class name, of the averaged weights if there are any, otherwise of the current weights."""
        if self.average is not None and self.average.state is not None:
            self.model.load_state_dict(self.average.state)
        metrics = self.measure()
        per_class = dict(zip(self.job.classes, metrics.per_class, strict=True))
        self.reporter.emit("metrics", valMiou=metrics.miou, perClassIou=per_class)
        self.stop.check()
        return metrics, per_class

    def leave(self, started_at: float) -> None:
        """Validate and write `rung.json`: the checkpoint at `stopAfter` is already written, and nothing is exported."""
        metrics, per_class = self.validate()
        seconds = round(time.monotonic() - started_at, 3)
        rung = {
            "iterations": self.iteration, "seconds": seconds, "valMiou": metrics.miou, "perClassIou": per_class,
        }  # fmt: skip
        write_json(self.folder / "rung.json", rung)
        self.reporter.emit("done", iterations=self.iteration, seconds=seconds)

    def finish(self, started_at: float) -> None:
        """Validate, export, and write `result.json` last: if it exists, the run is whole."""
        job = self.job
        metrics, per_class = self.validate()
        self.model.to("cpu")
        self.model.to(memory_format=torch.contiguous_format)  # pyright: ignore[reportCallIssue]
        weights = self.model.state_dict()
        temporary = self.folder / "weights.pt.tmp"
        with room_for(temporary, bytes_of(weights), "weights.pt"):
            torch.save({"model": weights, "taxonomyDigest": job.taxonomyDigest, "classes": job.classes}, temporary)
        replace_durably(temporary, self.folder / "weights.pt")
        exported = export(self.model, job, self.folder)
        self.reporter.emit(
            "exported", path="model.onnx", scanPath="scan.onnx", sha256=exported.model_sha256,
            scanSha256=exported.scan_sha256, maxAbsDiff=exported.difference,
        )  # fmt: skip
        seconds = round(time.monotonic() - started_at, 3)
        result = {
            "iterations": job.settings.iterations,
            "seconds": seconds,
            "valMiou": metrics.miou,
            "perClassIou": per_class,
            "parameters": self.parameters,
            "files": {
                "model.onnx": exported.model_sha256,
                "scan.onnx": exported.scan_sha256,
                "weights.pt": sha256_file(self.folder / "weights.pt"),
            },
            "torch": str(torch.__version__),
            "threads": job.settings.threads,
            "weightsSha256": weights_digest(weights),
        }
        write_json(self.folder / "result.json", result)
        self.reporter.emit("done", iterations=job.settings.iterations, seconds=seconds)
