"""One step: the gradients of a batch, also if it is cut into parts for memory or spread over processes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..job import Job
from ..model.knet import KNet, Outputs, upsampled
from ..model.losses import SegmentationLoss, shrink_label
from ..process.devices import autocast, compiles
from ..process.protocol import MEMORY_HINT, Reporter, TrainerError, is_out_of_memory
from ..process.ranks import Ranks
from ..process.room import memory_there

# Weight of the auxiliary head's loss, as in MMSegmentation's configurations.
AUXILIARY_WEIGHT = 0.4


class Step:
    """Forward and backward over this process's share of a batch.

    Every loss is a sum divided by totals of the whole batch. So parts and processes add up to the step of one pass,
    exactly but for rounding, if the backbone's batch norm is frozen; if not, its statistics are those of a part.
    split: number of parts of the share; it doubles when memory runs out.
    """

    def __init__(
        self, job: Job, model: KNet, loss: SegmentationLoss, device: str, ranks: Ranks, reporter: Reporter
    ) -> None:
        self.split = 1
        self._job, self._model, self._loss = job, model, loss
        self._device, self._ranks, self._reporter = device, ranks, reporter
        self._forward = model.all_stages
        if compiles(job, device):
            self._forward = torch.compile(model.all_stages, dynamic=False)
        self._compiled = compiles(job, device)

    def gradients(self, image: Tensor, label: Tensor, iteration: int) -> Tensor:
        """image [N, S, S, 3], label [N, S, S], both uint8 → loss of the whole batch; gradients are in the parameters.

        Raises `out-of-memory` if a single image at a time is too much.
        """
        label = label.to(self._device)
        totals = self._totals(label)
        while True:
            before = self._remember()
            trouble: str | None = None
            try:
                loss = self._accumulate(image, label, totals, self._loss.doubts(iteration))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                trouble = str(error)[:200]
            # Outside the `except`, whose traceback would keep the tensors of the failed pass alive.
            if not self._ranks.any(trouble is not None, self._device):
                break
            self._recall(before)
            self._halve(len(image), trouble or "another process ran out of memory")
        self._ranks.sum_gradients(self._model.parameters())
        return self._ranks.sum(loss)  # pyright: ignore[reportPossiblyUnboundVariable]

    def _totals(self, label: Tensor) -> tuple[Tensor, Tensor] | None:
        """The divisors of the losses at full size and at stride 4; None if the batch is one part."""
        if self._ranks.size == 1 and self.split == 1:
            return None
        both = [self._loss.target(one).totals for one in (label, shrink_label(label, 4))]
        full, small = self._ranks.sum(torch.stack(both))
        return full, small

    def _accumulate(
        self, image: Tensor, label: Tensor, totals: tuple[Tensor, Tensor] | None, doubting: bool
    ) -> Tensor:
        count = min(self.split, len(image))
        if totals is None and count > 1:
            totals = self._totals(label)
        self._model.zero_grad(set_to_none=True)
        losses: list[Tensor] = []
        for images, labels in zip(image.tensor_split(count), label.tensor_split(count), strict=True):
            pixels = images.to(self._device, non_blocking=True).permute(0, 3, 1, 2).float()
            with autocast(self._device):
                outputs = self._run(pixels)
            loss = self.total_loss(outputs, labels, totals, doubting=doubting)
            loss.backward()
            losses.append(loss.detach())
        return losses[0] if count == 1 else torch.stack(losses).sum()

    def _run(self, pixels: Tensor) -> Outputs:
        if not self._compiled:
            return self._forward(pixels)
        try:
            return self._forward(pixels)
        except Exception as error:
            if self._job.settings.compile == "on" or is_out_of_memory(error):
                raise
            # No C compiler, or a network that the compiler does not take, shows in many kinds of errors: training is
            # slower, not wrong. An error with another cause is raised again below.
            self._reporter.warn("not-compiled", f"training continues without torch.compile: {str(error)[:200]}")
            self._forward, self._compiled = self._model.all_stages, False
            return self._forward(pixels)

    def total_loss(
        self, outputs: Outputs, label: Tensor, totals: tuple[Tensor, Tensor] | None = None, *, doubting: bool = False
    ) -> Tensor:
        """Loss of M0 … Mn and of the auxiliary head (paper, section 3.3). label: [N, S, S].

        Only the last stage is compared at full size; the others at stride 4, which saves a sixth of the step.
        """
        full, small = self._loss.target(label), self._loss.target(shrink_label(label, 4))
        of_full, of_small = totals or (None, None)
        side = small.index.shape[-1]
        total = self._loss(upsampled(outputs.stages[-1].float(), label.shape[-1]), full, of_full, doubting=doubting)
        for logits in outputs.stages[:-1]:
            total = total + self._loss(logits, small, of_small, doubting=doubting)
        auxiliary = self._loss(upsampled(outputs.auxiliary.float(), side), small, of_small, doubting=doubting)
        return total + AUXILIARY_WEIGHT * auxiliary

    def _remember(self) -> tuple[list[tuple[Tensor, Tensor]], Tensor, Tensor | None]:
        """The state that a pass changes beside gradients: batch norm's statistics, drop path's random numbers."""
        norms = [
            one for one in self._model.modules() if isinstance(one, nn.modules.batchnorm._BatchNorm) and one.training
        ]
        buffers = [(value, value.clone()) for one in norms for value in one.buffers()]
        return buffers, torch.get_rng_state(), torch.cuda.get_rng_state() if self._device == "cuda" else None

    def _recall(self, before: tuple[list[tuple[Tensor, Tensor]], Tensor, Tensor | None]) -> None:
        buffers, random, cuda_random = before
        for value, old in buffers:
            value.copy_(old)
        torch.set_rng_state(random)
        if cuda_random is not None:
            torch.cuda.set_rng_state(cuda_random)
        self._model.zero_grad(set_to_none=True)

    def _halve(self, images: int, trouble: str) -> None:
        if self._device == "cuda":
            torch.cuda.empty_cache()
        shared_norm = any(isinstance(one, nn.SyncBatchNorm) for one in self._model.modules())
        if self.split >= images or shared_norm:
            what = "with one image at a time" if not shared_norm else "with batch norm shared by processes"
            facts = "; ".join(part for part in (trouble, memory_there()) if part)
            raise TrainerError("out-of-memory", f"out of memory {what}: {facts}", MEMORY_HINT)
        self.split = min(images, self.split * 2)
        self._reporter.warn(
            "batch-split", f"memory ran out: each batch is now computed in {self.split} parts that add up ({trouble})"
        )
