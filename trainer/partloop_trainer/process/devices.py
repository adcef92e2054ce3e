"""The device: its choice, its repeatability and the precision in which it computes."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch
from torch import nn

from ..job import Job
from ..model.knet import KNet
from .protocol import TrainerError
from .ranks import Ranks


def choose_device(job: Job) -> str:
    """`cpu` or `cuda`; raises `job-invalid` if CUDA is asked for and absent."""
    present = torch.cuda.is_available()
    if job.internal.device == "cuda" and not present:
        raise TrainerError(
            "job-invalid", "`internal.device` is cuda, but PyTorch finds no CUDA device", "set it to auto or cpu"
        )
    return "cuda" if present and job.internal.device != "cpu" else "cpu"


def configure(job: Job) -> None:
    """Make PyTorch repeatable: fixed threads, deterministic algorithms."""
    torch.set_num_threads(job.settings.threads)
    torch.use_deterministic_algorithms(True)
    # Off: it fills fresh memory with NaN to find reads of uninitialised values, and takes a sixth of the step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyright: ignore[reportAttributeAccessIssue]
    torch.backends.cudnn.benchmark = False


def uses_bfloat16(device: str) -> bool:
    """Whether a pass computes in bfloat16: on CUDA only, since on CPU it gains nothing."""
    return device == "cuda"


def autocast(device: str) -> Any:
    """The context of a forward pass."""
    return torch.autocast(device, torch.bfloat16) if uses_bfloat16(device) else nullcontext()


def compiles(job: Job, device: str) -> bool:
    """`auto` compiles on CUDA; on CPU, compiling takes longer than a short run gains."""
    return job.settings.compile == "on" or (job.settings.compile == "auto" and device == "cuda")


def place(model: KNet, job: Job, device: str, ranks: Ranks) -> KNet:
    """Bring the network onto its device, channels last, with batch norm that several processes can share.

    Raises `job-invalid` if they cannot: batch norm over several processes exists only on CUDA.
    """
    trains_norm = not job.settings.freezeNorm and any(
        isinstance(one, nn.modules.batchnorm._BatchNorm) for one in model.modules()
    )
    if ranks.size > 1 and trains_norm:
        if device != "cuda":
            message = f"{ranks.size} processes on CPU cannot share the batch norm of {job.settings.preset}"
            raise TrainerError("job-invalid", message, "set `train.freezeNorm`, or train in one process")
        from timm.layers.norm_act import convert_sync_batchnorm

        convert_sync_batchnorm(model)
    model.to(device)
    # Channels last halves the time of a step on CPU.
    model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    return model
