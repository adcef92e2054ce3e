"""The values that decide the weights of a run, as its checkpoints record them; a checkpoint that differs is refused.

Checkpoints outlive builds, so names and parts are those of the first job files. A value that jobs can no longer change
is recorded as the constant that it became.
"""

from __future__ import annotations

from typing import Any

from .data.sampling import CLASS_WEIGHTS
from .job import Job
from .model.losses import FOCAL_GAMMA
from .optim.optimizer import LARGEST_GRADIENT, WEIGHT_DECAY
from .optim.schedule import BASE_SHARE, GAMMA, POWER, UP_SHARE
from .optim.step import AUXILIARY_WEIGHT


def identity(job: Job) -> dict[str, Any]:
    """The values that decide the weights, flat: `{"optim.lrHead": 0.002, …}`; no paths, pace or thread counts."""
    settings, internal = job.settings, job.internal
    weights, augment = settings.lossWeights, settings.augment
    # A file may be elsewhere on the machine that resumes, and by then the checkpoint has its content.
    source = settings.weights if settings.weights in ("package", "hub", "random") else "file"
    return {
        "version": job.version,
        "classes": job.classes,
        "taxonomyDigest": job.taxonomyDigest,
        "trainingSetDigest": job.trainingSetDigest,
        "mirrorPairs": job.mirrorPairs,
        "seed": job.seed,
        "warmStart": job.warmStart is not None,
        "model.preset": settings.preset,
        "model.neck": settings.neck_kind,
        "model.stages": settings.stage_count,
        "model.width": internal.width,
        "model.heads": internal.heads,
        "model.weights": source,
        "model.freezeNorm": settings.freezeNorm,
        "image.size": settings.imageSize,
        "image.scheduleSizes": settings.imageSizes,
        "optim.name": settings.optimizer,
        "optim.iterations": settings.iterations,
        "optim.batchSize": settings.batchSize,
        "optim.lrBackbone": settings.lrBackbone,
        "optim.lrHead": settings.lrHead,
        "optim.weightDecay": WEIGHT_DECAY,
        "optim.clip": LARGEST_GRADIENT,
        "optim.schedule": settings.schedule,
        "optim.cycles": settings.cycles,
        "optim.mode": settings.cycleMode,
        "optim.baseLrShare": BASE_SHARE,
        "optim.upShare": UP_SHARE,
        "optim.gamma": GAMMA,
        "optim.power": POWER,
        "optim.warmup": 0,
        "optim.ema": settings.ema,
        "loss.name": settings.loss,
        "loss.ceWeight": weights.ce,
        "loss.focalWeight": weights.focal,
        "loss.diceWeight": weights.dice,
        "loss.classWeightExponent": settings.classWeightExponent,
        "loss.classWeightClip": list(CLASS_WEIGHTS),
        "loss.auxWeight": AUXILIARY_WEIGHT,
        "loss.focalGamma": FOCAL_GAMMA,
        "sampling.imageWeightExponent": settings.imageWeightExponent,
        "augment.angle": augment.angle,
        "augment.crop": augment.crop,
        "augment.flip": augment.flip,
        "augment.brightness": augment.brightness,
        "augment.contrast": augment.contrast,
    }
