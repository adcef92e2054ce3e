"""One process of a group: `rank_main.py JOB OUT` writes loss and gradients of the first step."""

from __future__ import annotations

import sys

import torch

from partloop_trainer.job import Job, read_job
from partloop_trainer.process.protocol import Reporter, StopFlag
from partloop_trainer.train import Run


def first_step(job: Job) -> dict[str, object]:
    """Loss and gradients by name; after the exchange every process of the group has them."""
    run = Run(job, Reporter(quiet=True), StopFlag())
    run.set_training()
    batch = next(run.loader.batches(0, 1))
    loss = run.gradients.gradients(batch.image, batch.label, batch.iteration)
    gradients = {name: one.grad for name, one in run.model.named_parameters() if one.grad is not None}
    return {"loss": loss, "gradients": gradients, "images": len(batch.image)}


if __name__ == "__main__":
    torch.save(first_step(read_job(sys.argv[1])), sys.argv[2])
