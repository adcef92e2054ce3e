"""The settings of a training that a loop's configuration has: `train` of `domain/train/config.ts`, field by field.

A test of partloop holds names, defaults, bounds and sentences of both equal.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Size = Annotated[int, Meta(ge=32, le=2048, multiple_of=32)]


class LossWeights(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Weights of the loss `sum`."""

    ce: Annotated[float, Meta(ge=0, le=100, description="Weight of cross entropy in the loss `sum`")] = 1.0
    focal: Annotated[float, Meta(ge=0, le=100, description="Weight of the focal loss in the loss `sum`")] = 0.0
    dice: Annotated[float, Meta(ge=0, le=100, description="Weight of the Dice loss in the loss `sum`")] = 0.0


class Augment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Random changes of a picture and its label."""

    angle: Annotated[float, Meta(ge=0, le=45, description="Largest rotation in degrees")] = 10.0
    crop: Annotated[float, Meta(ge=0, le=0.9, description="Largest share of a side that a random crop takes away")] = (
        0.2
    )
    flip: Annotated[bool, Meta(description="Mirror half of the pictures, swapping left and right classes")] = True
    brightness: Annotated[float, Meta(ge=0, le=1, description="Largest relative change of brightness")] = 0.2
    contrast: Annotated[float, Meta(ge=0, le=1, description="Largest relative change of contrast")] = 0.2


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of a training. `warmStart` of the configuration is a path in the job."""

    preset: Annotated[
        str,
        Meta(
            pattern="^[a-z0-9_.]{1,64}$",
            description="Backbone: efficientnet_lite0 (CPU), swin_tiny, swin_large, or a timm name",
        ),
    ] = "efficientnet_lite0"
    neck: Annotated[
        Literal["auto", "fpn", "upernet"],
        Meta(description="What makes one map of the backbone's four; auto: upernet for Swin, fpn otherwise"),
    ] = "auto"
    stages: Annotated[
        Annotated[int, Meta(ge=0, le=6)] | None,
        Meta(description="Kernel update stages of K-Net; null: 3 for Swin, 2 otherwise"),
    ] = None
    freezeNorm: Annotated[
        bool, Meta(description="Keep the backbone's batch norm statistics as pretrained; for very small batches")
    ] = False
    # partloop copies the object of an s3:// URI to disk and writes its path here; tests also use `random`.
    weights: Annotated[
        str, Meta(max_length=1024, description="Backbone weights: `package`, `hub`, a file, or an s3:// URI")
    ] = "package"
    iterations: Annotated[int, Meta(ge=1, le=10_000_000, description="Training iterations (optimizer steps)")] = 60_000
    batchSize: Annotated[int, Meta(ge=1, le=4096, description="Images per iteration")] = 16
    imageSize: Annotated[Size, Meta(description="Longest side in pixels that the network sees")] = 512
    imageSizes: Annotated[
        list[Size],
        Meta(
            max_length=16,
            description="Sizes of equal parts of the training in order; empty: `imageSize` throughout",
        ),
    ] = []
    lrHead: Annotated[float, Meta(gt=0, le=1, description="Peak learning rate of the decode head")] = 2e-3
    lrBackbone: Annotated[float, Meta(gt=0, le=1, description="Peak learning rate of the backbone")] = 5e-4
    optimizer: Annotated[Literal["adamw", "adam"], Meta(description="Optimizer")] = "adamw"
    schedule: Annotated[Literal["cyclic", "poly", "fixed"], Meta(description="Learning rate schedule")] = "cyclic"
    cycles: Annotated[int, Meta(ge=1, le=1000, description="Whole cycles of the cyclic schedule")] = 1
    cycleMode: Annotated[
        Literal["triangular", "triangular2", "exp_range"],
        Meta(description="Shape of the cycles (Smith 2017): equal, halved each time, or falling each iteration"),
    ] = "triangular"
    ema: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="Decay of a running average of the weights, which is then validated and exported; 0: none",
        ),
    ] = 0.0
    loss: Annotated[
        Literal["ce", "focal", "dice", "ce+dice", "sum"],
        Meta(description="Loss of every stage; `sum` takes `lossWeights`"),
    ] = "ce"
    lossWeights: LossWeights = field(default_factory=LossWeights)
    doubtBackground: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="After 30 % of the iterations, a label's background counts only where the network gives every"
            " part at most this probability; 1: everywhere",
        ),
    ] = 1.0
    classWeightExponent: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="Class weights are frequency^-exponent, clipped; with `imageWeightExponent` at most 1 together",
        ),
    ] = 0.5
    imageWeightExponent: Annotated[
        float,
        Meta(ge=0, le=1, description="Sampling weights are frequency^-exponent of an image's rarest class"),
    ] = 0.25
    augment: Augment = field(default_factory=Augment)
    checkpointEvery: Annotated[int, Meta(ge=1, le=100_000, description="Iterations between checkpoints")] = 1000
    threads: Annotated[
        int,
        Meta(ge=1, le=256, description="Threads of the trainer on CPU; part of what makes a run repeatable"),
    ] = 2
    processes: Annotated[
        int,
        Meta(
            ge=0,
            le=64,
            description="Processes that share each batch, one per GPU; 0: one for every GPU of the machine",
        ),
    ] = 1
    compile: Annotated[
        Literal["auto", "on", "off"], Meta(description="torch.compile; auto: on a GPU, where it can")
    ] = "auto"
    exportPrecision: Annotated[
        Literal["float32", "float16"],
        Meta(description="Numbers inside the exported networks; float16 is half as large, and faster on GPUs alone"),
    ] = "float32"

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

    @property
    def loss_shares(self) -> tuple[float, float, float]:
        """Weights of cross entropy, focal loss and Dice."""
        if self.loss == "sum":
            return self.lossWeights.ce, self.lossWeights.focal, self.lossWeights.dice
        parts = self.loss.split("+")
        return float("ce" in parts), float("focal" in parts), float("dice" in parts)
