"""The job: every setting of a training run, declared once; parsing is strict and `describe` prints it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from .protocol import TrainerError

JOB_VERSION = 1


def setting(
    doc: str, default: Any = dataclasses.MISSING, *, low: float | None = None, high: float | None = None
) -> Any:
    """One documented field; without a default it is required. Lists and sections are copied for each job."""
    metadata = {"doc": doc, "low": low, "high": high}
    if default is dataclasses.MISSING:
        return field(metadata=metadata)
    if isinstance(default, (type, list)):
        return field(metadata=metadata, default_factory=default if isinstance(default, type) else lambda: list(default))
    return field(metadata=metadata, default=default)


@dataclass(frozen=True)
class ModelJob:
    preset: str = setting(
        "Backbone: efficientnet_lite0, swin_tiny, swin_large, or a timm name with feature maps", "efficientnet_lite0"
    )
    neck: Literal["auto", "fpn", "upernet"] = setting(
        "What makes one map of the backbone's four; auto: upernet for Swin, fpn otherwise", "auto"
    )
    stages: int | None = setting(
        "Kernel update stages of K-Net; null: 3 as in the paper for Swin, 2 otherwise", None, low=0, high=6
    )
    width: int = setting("Channels of the neck and the kernels", 128, low=8, high=1024)
    heads: int = setting("Attention heads between kernels; divides width", 8, low=1, high=64)
    weights: str = setting("Backbone weights: package, hub, random (tests only), or the path of a file", "package")
    freezeNorm: bool = setting("Keep the backbone's batch norm statistics as pretrained; for very small batches", False)

    @property
    def neck_kind(self) -> Literal["fpn", "upernet"]:
        """The neck with `auto` resolved."""
        if self.neck == "auto":
            return "upernet" if self.preset.startswith("swin") else "fpn"
        return self.neck

    @property
    def stage_count(self) -> int:
        """Kernel update stages with null resolved."""
        if self.stages is None:
            return 3 if self.preset.startswith("swin") else 2
        return self.stages


@dataclass(frozen=True)
class ImageJob:
    size: int = setting("Longest side in pixels that the network sees, a multiple of 32", 256, low=32, high=2048)
    scheduleSizes: list[int] = setting(
        "Sizes of equal parts of the run in order, multiples of 32; empty: size throughout", []
    )
    validationSize: int = setting(
        "Longest side in pixels of the grid that validation counts on; no influence on the weights",
        512,
        low=32,
        high=4096,
    )


@dataclass(frozen=True)
class OptimJob:
    name: Literal["adamw", "adam"] = setting("Optimizer", "adamw")
    iterations: int = setting("Optimizer steps", 300, low=1, high=10_000_000)
    batchSize: int = setting("Images a step", 8, low=1, high=4096)
    lrBackbone: float = setting("Peak learning rate of the backbone", 5e-4, low=0, high=1)
    lrHead: float = setting("Peak learning rate of everything else", 2e-3, low=0, high=1)
    weightDecay: float = setting("Weight decay; norms, biases and position tables have none", 5e-4, low=0, high=1)
    clip: float = setting("Largest gradient norm; 0 does not clip", 1.0, low=0)
    schedule: Literal["cyclic", "poly", "fixed"] = setting("Learning rate schedule", "cyclic")
    cycles: int = setting("Whole cycles of the cyclic schedule", 1, low=1, high=1000)
    mode: Literal["triangular", "triangular2", "exp_range"] = setting(
        "Shape of the cyclic schedule (Smith 2017)", "triangular"
    )
    baseLrShare: float = setting("Base of a cycle as a share of the peak", 0.1, low=0, high=1)
    upShare: float = setting("Share of a cycle in which the rate rises", 0.5, low=0.01, high=0.99)
    gamma: float = setting("exp_range: factor on the amplitude each iteration", 0.99994, low=0.5, high=1)
    power: float = setting("poly: power of the decay", 0.9, low=0.1, high=5)
    warmup: int = setting("poly and fixed: iterations of linear warm-up", 0, low=0)
    ema: float = setting(
        "Decay of a running average of the weights, which is then validated and exported; 0: none", 0.0, low=0, high=1
    )


@dataclass(frozen=True)
class LossJob:
    name: Literal["ce", "focal", "dice", "ce+dice", "sum"] = setting(
        "Loss of every stage: cross entropy, focal, Dice, or a sum; `sum` takes the three weights below", "ce"
    )
    ceWeight: float = setting("sum: weight of cross entropy", 1.0, low=0, high=100)
    focalWeight: float = setting("sum: weight of the focal loss", 0.0, low=0, high=100)
    diceWeight: float = setting("sum: weight of the Dice loss", 0.0, low=0, high=100)
    classWeightExponent: float = setting(
        "Class weights are pixel frequency^-exponent, median 1, clipped. Both this and sampling.imageWeightExponent "
        "favour rare classes, so the two add up to 1 at most",
        0.5,
        low=0,
        high=1,
    )
    classWeightClip: list[float] = setting("Smallest and largest class weight", [0.25, 4.0])
    auxWeight: float = setting("Weight of the auxiliary head's loss", 0.4, low=0, high=10)
    focalGamma: float = setting("Focusing power of the focal loss", 2.0, low=0, high=10)

    @property
    def shares(self) -> tuple[float, float, float]:
        """Weights of cross entropy, focal loss and Dice."""
        if self.name == "sum":
            return self.ceWeight, self.focalWeight, self.diceWeight
        parts = self.name.split("+")
        return float("ce" in parts), float("focal" in parts), float("dice" in parts)


@dataclass(frozen=True)
class SamplingJob:
    imageWeightExponent: float = setting(
        "Images are drawn by frequency^-exponent of their rarest class; see loss.classWeightExponent",
        0.25,
        low=0,
        high=1,
    )


@dataclass(frozen=True)
class AugmentJob:
    angle: float = setting("Largest rotation in degrees", 10.0, low=0, high=45)
    crop: float = setting("Largest share of a side that a random crop takes away", 0.2, low=0, high=0.9)
    flip: bool = setting("Mirror half of the pictures, swapping the classes of mirrorPairs", True)
    brightness: float = setting("Largest relative change of brightness", 0.2, low=0, high=1)
    contrast: float = setting("Largest relative change of contrast", 0.2, low=0, high=1)


@dataclass(frozen=True)
class ExportJob:
    batch: Literal["dynamic", "fixed"] = setting("Batch dimension of the ONNX files", "dynamic")
    batchSize: int = setting("fixed: images of a batch", 1, low=1, high=1024)
    precision: Literal["float32", "float16"] = setting(
        "Numbers inside the network; inputs and outputs are the same for both", "float32"
    )
    opset: int = setting("ONNX opset", 18, low=18, high=18)


@dataclass(frozen=True)
class Job:
    version: int = setting("Version of this format", low=JOB_VERSION, high=JOB_VERSION)
    workDir: str = setting("Absolute folder of checkpoints and results; a retry with the same folder resumes")
    train: str = setting("Absolute path of the training list (JSON lines)")
    classes: list[str] = setting("Class names; the index is the label's pixel value, 0 is the background")
    taxonomyDigest: str = setting("Digest of the taxonomy; in the checkpoints and the ONNX metadata")
    trainingSetDigest: str = setting("Digest of the training list's content; a checkpoint of another one is refused")
    val: str | None = setting("Absolute path of the validation list, or null", None)
    mirrorPairs: list[list[int]] = setting("Pairs of class indices that a horizontal flip swaps", [])
    attempt: str = setting("Token of this attempt; has no influence on the result", "")
    seed: int = setting("Seed of every random choice", 1, low=0, high=2**31 - 1)
    threads: int = setting("Threads of PyTorch on CPU; part of what makes a run repeatable", 2, low=1, high=256)
    device: Literal["auto", "cpu", "cuda"] = setting("Where to train; auto takes CUDA where present", "auto")
    precision: Literal["auto", "float32", "bfloat16"] = setting("auto: bfloat16 on CUDA, float32 on CPU", "auto")
    compile: Literal["auto", "on", "off"] = setting("torch.compile; auto: on CUDA, where it can", "auto")
    processes: int = setting(
        "Processes that share each batch, one a GPU; 0: one for every visible GPU. Under torchrun it is ignored",
        1,
        low=0,
        high=64,
    )
    loaderWorkers: int = setting(
        "Threads that prepare images; 0: one in the background. No influence on the result", 0, low=0, high=64
    )
    cacheBytes: int = setting("Most bytes of prepared images kept in memory", 1_000_000_000, low=0)
    model: ModelJob = setting("The network", ModelJob)
    image: ImageJob = setting("Image sizes", ImageJob)
    optim: OptimJob = setting("Optimisation", OptimJob)
    loss: LossJob = setting("Losses", LossJob)
    sampling: SamplingJob = setting("Which images a step sees", SamplingJob)
    augment: AugmentJob = setting("Augmentation", AugmentJob)
    export: ExportJob = setting("Export", ExportJob)
    checkpointEvery: int = setting("Iterations between checkpoints", 50, low=1)
    progressEvery: int = setting("Iterations between progress lines", 10, low=1)
    stopAfter: int | None = setting(
        "Iteration after which the run is measured and left, to go on later with the same bits; null: train to the end",
        None,
        low=1,
    )
    warmStart: str | None = setting("weights.pt or checkpoint of another run to start from, or null", None)
    keepCheckpoints: int = setting("Checkpoints kept", 3, low=1, high=100)


def read_job(path: str) -> Job:
    """Read and check a job file; raises `job-invalid` with every problem found, each naming its field."""
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
    job = _section(Job, raw, "", problems)
    if job is not None and not problems:
        problems += _cross_checks(job)
    if problems or job is None:
        raise TrainerError(
            "job-invalid", "the job is invalid: " + "; ".join(problems), "`partloop-trainer describe` lists every field"
        )
    return job


def _section(kind: type, raw: object, path: str, problems: list[str]) -> Any:
    """Build the dataclass `kind` from `raw`, or add to `problems` and return None."""
    if not isinstance(raw, dict):
        problems.append(f"`{path or 'job'}` must be an object")
        return None
    hints = typing.get_type_hints(kind)
    fields = {one.name: one for one in dataclasses.fields(kind)}
    before = len(problems)
    for name in raw:
        if name not in fields:
            problems.append(f"unknown field `{path}{name}`")
    values: dict[str, Any] = {}
    for name, one in fields.items():
        if name in raw:
            values[name] = _value(hints[name], raw[name], path + name, one.metadata, problems)
        elif one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING:
            problems.append(f"`{path}{name}` is missing")
    return kind(**values) if len(problems) == before else None


def _value(kind: Any, raw: object, path: str, metadata: Any, problems: list[str]) -> Any:
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _section(kind, raw, path + ".", problems)
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        if raw is None:
            return None
        kind = next(one for one in typing.get_args(kind) if one is not type(None))
        origin = typing.get_origin(kind)
    if origin is Literal:
        choices = typing.get_args(kind)
        if raw not in choices:
            problems.append(f"`{path}` must be one of {', '.join(map(str, choices))}, not {json.dumps(raw)[:80]}")
        return raw
    if origin is list:
        if not isinstance(raw, list):
            problems.append(f"`{path}` must be a list")
            return None
        inner = typing.get_args(kind)[0]
        return [_value(inner, one, f"{path}[{index}]", {}, problems) for index, one in enumerate(raw)]
    if kind is float and isinstance(raw, int) and not isinstance(raw, bool):
        raw = float(raw)
    if not isinstance(raw, kind) or (kind is int and isinstance(raw, bool)):
        problems.append(f"`{path}` must be {TYPE_NAMES[kind]}, not {json.dumps(raw)[:80]}")
        return raw
    low, high = metadata.get("low"), metadata.get("high")
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        if low is not None and not raw >= low:
            problems.append(f"`{path}` must be at least {low}, not {raw}")
        if high is not None and not raw <= high:
            problems.append(f"`{path}` must be at most {high}, not {raw}")
    return raw


TYPE_NAMES: dict[Any, str] = {int: "a whole number", float: "a number", str: "a string", bool: "true or false"}


def _cross_checks(job: Job) -> list[str]:
    """What no single field shows; returns problems."""
    problems: list[str] = []
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
    for name, size in [
        ("image.size", job.image.size),
        *(("image.scheduleSizes", one) for one in job.image.scheduleSizes),
    ]:
        if size % 32 or not 32 <= size <= 2048:
            problems.append(f"`{name}` must be a multiple of 32 from 32 to 2048, not {size}")
    if job.model.width % job.model.heads or job.model.width % 8:
        problems.append(
            f"`model.width` ({job.model.width}) must be a multiple of 8 and of `model.heads` ({job.model.heads})"
        )
    if job.processes > job.optim.batchSize:
        problems.append(
            f"`processes` ({job.processes}) must be at most `optim.batchSize` ({job.optim.batchSize}), which they share"
        )
    if job.stopAfter is not None and job.stopAfter > job.optim.iterations:
        problems.append(f"`stopAfter` ({job.stopAfter}) is beyond `optim.iterations` ({job.optim.iterations})")
    clip = job.loss.classWeightClip
    if len(clip) != 2 or not 0 < clip[0] <= clip[1]:
        problems.append("`loss.classWeightClip` must be [smallest, largest], both above 0")
    if job.loss.name == "sum" and not any(job.loss.shares):
        problems.append("`loss.name` is sum, but `loss.ceWeight`, `loss.focalWeight` and `loss.diceWeight` are all 0")
    total = job.loss.classWeightExponent + job.sampling.imageWeightExponent
    if total > 1 + 1e-9:
        problems.append(
            f"`loss.classWeightExponent` and `sampling.imageWeightExponent` add up to {total:g}: "
            "above 1 rare classes are favoured twice over"
        )
    return problems


def identity(job: Job) -> dict[str, Any]:
    """The settings that decide the weights, flat: `{"optim.lrHead": 0.002, …}`; no paths, pace or thread counts."""
    skip = {
        "workDir", "train", "val", "attempt", "threads", "device", "precision", "compile", "processes",
        "loaderWorkers", "cacheBytes", "export", "checkpointEvery", "progressEvery", "keepCheckpoints", "stopAfter",
    }  # fmt: skip
    flat: dict[str, Any] = {}
    for name, value in dataclasses.asdict(job).items():
        if name in skip:
            continue
        if isinstance(value, dict):
            flat.update({f"{name}.{inner}": one for inner, one in value.items()})
        else:
            flat[name] = value
    del flat["image.validationSize"]
    # A file may lie elsewhere on the machine that resumes, and what it held is in the checkpoint by then.
    if flat["model.weights"] not in ("package", "hub", "random"):
        flat["model.weights"] = "file"
    flat |= {"model.neck": job.model.neck_kind, "model.stages": job.model.stage_count}
    flat["warmStart"] = job.warmStart is not None
    return flat


def identity_digest(job: Job) -> str:
    """sha256 of `identity`, hexadecimal."""
    return hashlib.sha256(json.dumps(identity(job), sort_keys=True).encode()).hexdigest()


def describe(kind: type = Job) -> dict[str, Any]:
    """Fields of the job as plain data: type, default, bounds and meaning; sections are nested under `fields`."""
    hints = typing.get_type_hints(kind)
    described: dict[str, Any] = {}
    for one in dataclasses.fields(kind):
        hint = hints[one.name]
        entry: dict[str, Any] = {"doc": one.metadata["doc"]}
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            entry |= {"type": "object", "fields": describe(hint)}
        else:
            entry |= _described_type(hint)
            if one.default is not dataclasses.MISSING:
                entry["default"] = one.default
            elif one.default_factory is not dataclasses.MISSING:
                entry["default"] = one.default_factory()
            entry |= {name: one.metadata[name] for name in ("low", "high") if one.metadata[name] is not None}
        entry["required"] = one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
        described[one.name] = entry
    return described


def _described_type(hint: Any) -> dict[str, Any]:
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        inner = next(one for one in typing.get_args(hint) if one is not type(None))
        return {**_described_type(inner), "nullable": True}
    if origin is Literal:
        return {"type": "string", "choices": list(typing.get_args(hint))}
    if origin is list:
        return {"type": "array", "items": _described_type(typing.get_args(hint)[0])}
    return {"type": {int: "integer", float: "number", str: "string", bool: "boolean"}[hint]}
