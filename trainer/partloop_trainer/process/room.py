"""Full disks and short memory, in bytes: the need, the rest, and a hint."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .protocol import TrainerError

# Errors of torch's writer have no number: its words together with a disk too small for the file mean a full disk.
TORCH_WRITER_WORDS = ("inline_container", "iostream", "PytorchStreamWriter")
# A file system keeps some bytes of every file to itself.
SLACK = 2**20


def bytes_of(state: Any) -> int:
    """Bytes of all tensors in dicts and lists: the size of a file of them, without its headers."""
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
    """Write `file` inside; if the disk has no room for it, removes the torn file and raises `disk-full`."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        # Its written part counts as free: the disk may get that room back only when its last handle is closed.
        torn = file.stat().st_size if file.exists() else 0
        free = free_bytes(file.parent) + torn
        file.unlink(missing_ok=True)
        torch_failed = isinstance(error, RuntimeError) and any(one in str(error) for one in TORCH_WRITER_WORDS)
        if is_disk_full(error) or (torch_failed and free < needed + SLACK):
            raise disk_full(file.parent, f"{what} needs {size_text(needed)}", free) from error
        raise


def is_disk_full(error: BaseException | None) -> bool:
    """Known by the number of the system's error, here or in its causes."""
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
    """This process's peak memory and the machine's free memory, as text; empty if the system does not tell."""
    with contextlib.suppress(Exception):
        held = _kilobytes("/proc/self/status", "VmHWM:")
        left, total = (_kilobytes("/proc/meminfo", name) for name in ("MemAvailable:", "MemTotal:"))
        return (
            f"this process held up to {size_text(held * 1024)}; "
            f"the machine had {size_text(left * 1024)} of {size_text(total * 1024)} left"
        )
    return ""


def _kilobytes(path: str, name: str) -> int:
    with open(path, encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name))


def size_text(count: float) -> str:
    """Bytes in a readable unit: `1.5 GB`, `820 MB`, `12 kB`."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}" if count < 100 * size else f"{count / size:.0f} {unit}"
    return f"{count:.0f} bytes"
