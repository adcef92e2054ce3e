"""The job: the input of one run of the trainer. Its JSON file is checked as a whole before anything starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from .process.protocol import TrainerError
from .schema import parsed
from .settings import Settings

JOB_VERSION = 1


class Internal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Values that are no settings of a loop: only tests and measurements change them."""

    # A narrow network trains in milliseconds; the published sizes are those of a wide one.
    width: Annotated[int, Meta(ge=8, le=1024, description="Channels of the neck and the kernels")] = 128
    heads: Annotated[int, Meta(ge=1, le=64, description="Attention heads between kernels; divides width")] = 8
    # Lets a machine with a GPU measure its CPU, and refuses a machine without one if the GPU is to be measured.
    device: Annotated[Literal["auto", "cpu", "cuda"], Meta(description="Device to train on; auto: CUDA if present")] = (
        "auto"
    )
    # Tests ensure that samples and weights do not depend on it.
    loaderWorkers: Annotated[
        int,
        Meta(ge=0, le=64, description="Threads that prepare images; 0: one in the background. Never changes results"),
    ] = 0


class Job(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run. partloop derives everything but `settings`, which is `train` of a loop's configuration."""

    version: Annotated[int, Meta(ge=JOB_VERSION, le=JOB_VERSION, description="Version of this format")]
    workDir: Annotated[
        str, Meta(description="Absolute folder of checkpoints and results; a retry with the same folder resumes")
    ]
    train: Annotated[str, Meta(description="Absolute path of the training list (JSON lines)")]
    classes: Annotated[
        list[str], Meta(description="Class names; the index is the label's pixel value, 0 is the background")
    ]
    taxonomyDigest: Annotated[str, Meta(description="Digest of the taxonomy; in the checkpoints and the ONNX metadata")]
    trainingSetDigest: Annotated[
        str, Meta(description="Digest of the training list's content; a checkpoint of another list is refused")
    ]
    val: Annotated[str | None, Meta(description="Absolute path of the validation list, or null")] = None
    mirrorPairs: Annotated[
        list[list[int]], Meta(description="Pairs of class indices that a horizontal flip swaps")
    ] = []
    attempt: Annotated[str, Meta(description="Token of this attempt; does not change the result")] = ""
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1, description="Seed of every random choice")] = 1
    validationSize: Annotated[
        int,
        Meta(
            ge=32,
            le=4096,
            description="Longest side in pixels of the grid that validation counts on; does not change the weights",
        ),
    ] = 512
    settings: Settings = field(default_factory=Settings)
    progressEvery: Annotated[int, Meta(ge=1, description="Iterations between progress lines")] = 10
    stopAfter: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(
            description="Iteration after which the run is measured and left, to go on later with the same bits; "
            "null: train to the end"
        ),
    ] = None
    warmStart: Annotated[
        str | None, Meta(description="weights.pt or checkpoint of another run to start from, or null")
    ] = None
    keepCheckpoints: Annotated[int, Meta(ge=1, le=100, description="Checkpoints kept")] = 3
    internal: Internal = field(default_factory=Internal)


def read_job(path: str) -> Job:
    """Read and check a job file; raises `job-invalid` with every bad field by name."""
    try:
        raw = json.loads(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise TrainerError(
            "job-invalid", f"job file {path} cannot be read: {error}", "pass the path of a JSON file with --job"
        ) from error
    return parse_job(raw)


def parse_job(raw: object) -> Job:
    """Check a decoded job; see `read_job`."""
    problems: list[str] = []
    job = parsed(Job, raw, "", problems)
    if job is not None and not problems:
        problems += _cross_checks(job)
    if problems or job is None:
        raise TrainerError(
            "job-invalid", "the job is invalid: " + "; ".join(problems), "`partloop-trainer describe` lists every field"
        )
    return job


def describe() -> dict[str, Any]:
    """The job as JSON Schema: types, defaults, bounds and meaning of all fields."""
    return msgspec.json.schema(Job)


def _cross_checks(job: Job) -> list[str]:
    """Check fields against each other; returns problems."""
    problems: list[str] = []
    settings, internal = job.settings, job.internal
    for name in ("workDir", "train", "val", "warmStart"):
        value = getattr(job, name)
        if value is not None and not Path(value).is_absolute():
            problems.append(f"`{name}` must be an absolute path")
    if not 2 <= len(job.classes) <= 255:
        problems.append(f"`classes` must hold the background and 1 to 254 parts, not {len(job.classes)} names")
    if len(set(job.classes)) != len(job.classes):
        problems.append("`classes` names a class twice")
    flat = [index for pair in job.mirrorPairs for index in pair]
    if any(len(pair) != 2 for pair in job.mirrorPairs) or len(set(flat)) != len(flat):
        problems.append("`mirrorPairs` must be pairs of two classes, each class in one pair at most")
    if any(not 1 <= index < len(job.classes) for index in flat):
        problems.append("`mirrorPairs` names a class index that `classes` does not have")
    if internal.width % internal.heads or internal.width % 8:
        problems.append(
            f"`internal.width` ({internal.width}) must be a multiple of 8 and of `internal.heads` ({internal.heads})"
        )
    if settings.processes > settings.batchSize:
        problems.append(
            f"`settings.processes` ({settings.processes}) must be at most `settings.batchSize` "
            f"({settings.batchSize}), which they share"
        )
    if job.stopAfter is not None and job.stopAfter > settings.iterations:
        problems.append(f"`stopAfter` ({job.stopAfter}) is beyond `settings.iterations` ({settings.iterations})")
    if settings.loss == "sum" and not any(settings.loss_shares):
        problems.append("`settings.loss` is sum, but the weights of `settings.lossWeights` are all 0")
    total = settings.classWeightExponent + settings.imageWeightExponent
    if total > 1 + 1e-9:
        problems.append(
            f"`settings.classWeightExponent` and `settings.imageWeightExponent` add up to {total:g}: "
            "above 1, rare classes are favoured twice"
        )
    return problems
