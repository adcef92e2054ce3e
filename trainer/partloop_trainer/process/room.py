"""Full disks and short memory, told in bytes: what was needed, what was there, and what to change."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .protocol import TrainerError

# torch's writer has no error number: its words, and a disk without room for the file, say it together.
TORCH_WRITER_WORDS = ("inline_container", "iostream", "PytorchStreamWriter")
# A file system keeps some bytes of every file to itself.
SLACK = 2**20


def bytes_of(state: Any) -> int:
    """Bytes of all tensors in dicts and lists: what a file of them takes, but for its headers."""
    if hasattr(state, "nbytes"):
        return int(state.nbytes)
    if isinstance(state, Mapping):
        return sum(bytes_of(value) for value in state.values())
    return sum(bytes_of(value) for value in state) if isinstance(state, list | tuple) else 0


def free_bytes(folder: Path) -> int:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


@contextlib.contextmanager
def room_for(file: Path, needed: int, what: str) -> Iterator[None]:
    """Write `file` inside; raises `disk-full` where the disk has no room for it, with the torn file removed."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        # What was written of it is counted as free: its room may come back only when the last handle on it is closed.
        torn = file.stat().st_size if file.exists() else 0
        free = free_bytes(file.parent) + torn
        file.unlink(missing_ok=True)
        torch_failed = isinstance(error, RuntimeError) and any(one in str(error) for one in TORCH_WRITER_WORDS)
        if is_disk_full(error) or (torch_failed and free < needed + SLACK):
            raise disk_full(file.parent, f"{what} needs {size_text(needed)}", free) from error
        raise


def is_disk_full(error: BaseException | None) -> bool:
    """By the number of the system's error, here or in what caused it."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or error.__context__
    return False


def disk_full(folder: Path, needs: str, free: int) -> TrainerError:
    return TrainerError(
        "disk-full",
        f"the disk of {folder} is full: {needs}, {size_text(free)} are free",
        "free space on that disk, or set PARTLOOP_HOME to a larger one",
    )


def memory_there() -> str:
    """Most memory that this process held, and what the machine has left; empty where the system does not say."""
    with contextlib.suppress(Exception):
        held = _kilobytes("/proc/self/status", "VmHWM:")
        left, total = (_kilobytes("/proc/meminfo", name) for name in ("MemAvailable:", "MemTotal:"))
        return (
            f"this process held up to {size_text(held * 1024)}; "
            f"of {size_text(total * 1024)} on the machine {size_text(left * 1024)} were left"
        )
    return ""


def _kilobytes(path: str, name: str) -> int:
    with open(path, encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name))


def size_text(count: float) -> str:
    """Bytes in the unit that people read: `1.5 GB`, `820 MB`, `12 kB`."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}" if count < 100 * size else f"{count / size:.0f} {unit}"
    return f"{count:.0f} bytes"
