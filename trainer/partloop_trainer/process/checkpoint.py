"""Checkpoints that survive a kill at any moment: file first, checksummed sidecar last, the newest valid pair counts."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..recipe import recipe, sources_digest
from .protocol import Reporter, TrainerError
from .room import bytes_of, room_for

FORMAT = 2


def copied(state: Any) -> Any:
    """A deep copy on the CPU of tensors in dicts and lists, in the same layout: training may change the originals."""
    if isinstance(state, Tensor):
        return state.detach().clone() if state.device.type == "cpu" else state.detach().to("cpu")
    if isinstance(state, Mapping):
        return {name: copied(value) for name, value in state.items()}
    return [copied(value) for value in state] if isinstance(state, list) else state


@dataclass(frozen=True)
class Saved:
    """A checkpoint on disk. path: the .pt file; identity: the settings that determined it."""

    iteration: int
    path: Path
    sha256: str
    identity: dict[str, Any]


def sha256_file(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def replace_durably(temporary: Path, target: Path) -> None:
    """Flush `temporary` to disk and rename it to `target`; after that either the old or the whole new file is there."""
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(temporary, target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_json(path: Path, value: object) -> None:
    temporary = path.with_name(path.name + ".tmp")
    text = json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n"
    with room_for(temporary, len(text), path.name):
        temporary.write_text(text, "utf-8")
    replace_durably(temporary, path)


class Checkpoints:
    """The folder `checkpoints` of a work folder: `<iteration, 8 digits>.pt` with a `.json` beside it."""

    def __init__(self, folder: Path, keep: int) -> None:
        self._folder = folder
        self._keep = keep
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, iteration: int, state: dict[str, Any], identity: dict[str, Any]) -> Saved:
        """Write a checkpoint and drop the oldest beyond `keep`; a second save of an iteration replaces the first."""
        path = self._folder / f"{iteration:08d}.pt"
        temporary = path.with_name(path.name + ".tmp")
        with room_for(temporary, bytes_of(state), f"the checkpoint of iteration {iteration}"):
            torch.save({"format": FORMAT, "iteration": iteration, **state}, temporary)
        digest = sha256_file(temporary)
        self._sidecar(path).unlink(missing_ok=True)
        replace_durably(temporary, path)
        kept = {"recipe": recipe().version, **identity}
        write_json(self._sidecar(path), {"iteration": iteration, "sha256": digest, "identity": kept})
        for old in sorted(self._folder.glob("*.pt"))[: -self._keep]:
            self._sidecar(old).unlink(missing_ok=True)
            old.unlink(missing_ok=True)
        return Saved(iteration, path, digest, identity)

    def newest(self, reporter: Reporter) -> Saved | None:
        """The newest checkpoint with a readable sidecar and the right checksum; others are skipped with a warning."""
        for leftover in self._folder.glob("*.tmp"):
            leftover.unlink(missing_ok=True)
        for path in sorted(self._folder.glob("*.pt"), reverse=True):
            try:
                raw = json.loads(self._sidecar(path).read_text("utf-8"))
                saved = Saved(int(raw["iteration"]), path, str(raw["sha256"]), dict(raw["identity"]))
                if sha256_file(path) == saved.sha256:
                    return saved
                reason = "its checksum does not match"
            except (OSError, ValueError, KeyError, TypeError) as error:
                reason = f"its sidecar cannot be read ({type(error).__name__})"
            reporter.warn("checkpoint-torn", f"checkpoint {path.name} is skipped: {reason}")
        return None

    def load(self, saved: Saved, identity: dict[str, Any]) -> dict[str, Any]:
        """Read a checkpoint; raises `checkpoint-incompatible` naming the settings in which it differs from the job."""
        # Checkpoints older than declared recipes are of the first.
        before, now = {"recipe": 1, **saved.identity}, {"recipe": recipe().version, **identity}
        differing = [name for name in sorted(before.keys() | now.keys()) if before.get(name) != now.get(name)]
        hint = "use another work folder, or the job that wrote these checkpoints"
        if differing:
            changes = "; ".join(
                f"{name}: {_short(before.get(name))} → {_short(now.get(name))}" for name in differing[:6]
            )
            message = f"checkpoint {saved.path.name} in {self._folder} belongs to another job: {changes}"
            raise TrainerError("checkpoint-incompatible", message, hint)
        try:
            state = torch.load(saved.path, map_location="cpu", weights_only=True)
        except Exception as error:
            message = f"checkpoint {saved.path.name} is whole but cannot be read: {str(error)[:300]}"
            raise TrainerError("checkpoint-incompatible", message, hint) from error
        if state.get("format") != FORMAT:
            message = f"checkpoint {saved.path.name} has format {state.get('format')}, this trainer reads {FORMAT}"
            raise TrainerError("checkpoint-incompatible", message, hint)
        return state

    @staticmethod
    def _sidecar(path: Path) -> Path:
        return path.with_suffix(".json")


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "…"


def weights_digest(state: Mapping[str, Tensor]) -> str:
    """sha256 over names, types, shapes and bytes of a state dict in name order: equal exactly for bit-equal weights."""
    digest = hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().cpu().contiguous()
        digest.update(f"{name}|{value.dtype}|{tuple(value.shape)}|".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def environment(threads: int, device: str, processes: int, bfloat16: bool, compiled: bool) -> dict[str, Any]:
    """The environment that the bits of a run depend on: in another one a run resumes, but not bit-exactly."""
    return {
        "torch": str(torch.__version__),
        "threads": threads,
        "capability": torch.backends.cpu.get_cpu_capability(),
        "device": device if device == "cpu" else torch.cuda.get_device_name(),
        "processes": processes,
        "bfloat16": bfloat16,
        "compiled": compiled,
        "code": sources_digest()[:12],
    }


def warm_start(path: Path, taxonomy_digest: str, target: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of another run for this network; raises `checkpoint-incompatible` if taxonomy or shapes differ."""
    hint = "a warm start needs a run with the same taxonomy and model settings"
    try:
        raw = torch.load(path, map_location="cpu", weights_only=True)
        weights, digest = raw["model"], raw["taxonomyDigest"]
    except FileNotFoundError as error:
        raise TrainerError("weights-missing", f"warm start file {path} does not exist", hint) from error
    except Exception as error:
        raise TrainerError(
            "checkpoint-incompatible", f"warm start file {path} cannot be read: {str(error)[:300]}", hint
        ) from error
    if digest != taxonomy_digest:
        raise TrainerError("checkpoint-incompatible", f"warm start file {path} was trained with another taxonomy", hint)
    for name, value in target.items():
        if name not in weights or weights[name].shape != value.shape:
            raise TrainerError(
                "checkpoint-incompatible", f"warm start file {path} does not fit the network at {name}", hint
            )
    return {name: weights[name] for name in target}
