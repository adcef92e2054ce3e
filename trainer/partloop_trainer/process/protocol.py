"""The trainer's messages to its parent: exit codes, JSON lines on stdout, errors that know whether a retry helps."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

PROTOCOL_VERSION = 1
# Bounds the line that names them; the next run, without these, names the rest.
MAX_IMAGES = 1_000

MEMORY_HINT = "give it more memory, or lower `train.batchSize` or `train.imageSize`; the run then starts again"

# `domain/train/exit.ts` mirrors this table; a test holds the two equal.
# name -> (exit code, may a retry of the same job succeed?)
EXITS: dict[str, tuple[int, bool]] = {
    "done": (0, False),
    "job-invalid": (2, False),
    "data-unusable": (3, False),
    "weights-missing": (4, False),
    "checkpoint-incompatible": (5, False),
    "loss-not-finite": (6, False),
    "out-of-memory": (7, True),
    "disk-full": (8, True),
    "internal": (70, True),
    "stopped": (75, True),
}


class TrainerError(Exception):
    """A failure with a stable code of `EXITS`, a message that names the thing that failed, and a hint for repair.

    images: id and reason of every image that cannot be used, if that is the failure.
    """

    def __init__(self, code: str, message: str, hint: str = "", images: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.images = images

    @property
    def exit_code(self) -> int:
        return EXITS[self.code][0]


class StopFlag:
    """Set by SIGTERM, by the end of stdin or by a closed stdout; checked between steps, so that each step is whole."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.reason = ""

    def set(self, reason: str) -> None:
        if not self._event.is_set():
            self.reason = reason
            self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set()

    def check(self) -> None:
        """Raise `stopped` if a stop was asked for; for phases that have nothing of their own to save."""
        if self.is_set():
            raise TrainerError(
                "stopped", f"stopped: {self.reason}", "run the same job again; it resumes from its last checkpoint"
            )

    def listen(self, watch_stdin: bool) -> None:
        """Listen for SIGTERM and SIGINT and, if asked, for the end of stdin, which a dead parent cannot hold open."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, _frame: self.set(f"received {signal.Signals(received).name}"))
        if watch_stdin:
            threading.Thread(target=self._watch_stdin, name="stdin-watch", daemon=True).start()

    def _watch_stdin(self) -> None:
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            pass
        self.set("stdin was closed, so the parent is gone")


class Reporter:
    """Writes one JSON object a line to stdout for the parent, and plain lines to stderr for people."""

    def __init__(self, stop: StopFlag | None = None, quiet: bool = False) -> None:
        """quiet: print only errors, as one of several processes does."""
        self._stop = stop
        self._quiet = quiet
        self._lock = threading.Lock()

    def emit(self, kind: str, **fields: object) -> None:
        if self._quiet and kind != "error":
            return
        line = json.dumps({"v": PROTOCOL_VERSION, "type": kind, **fields}, allow_nan=False)
        try:
            with self._lock:
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
        except (BrokenPipeError, ValueError):
            # Nobody reads: the parent died. Save and end as if stdin had closed, rather than crash during a step.
            if self._stop is not None:
                self._stop.set("stdout was closed, so the parent is gone")

    def warn(self, code: str, message: str) -> None:
        self.log(f"warning ({code}): {message}")
        self.emit("warning", code=code, message=message)

    def log(self, message: str) -> None:
        if self._quiet:
            return
        stamp = time.strftime("%H:%M:%S")
        try:
            print(f"{stamp} {message}", file=sys.stderr, flush=True)
        except (BrokenPipeError, ValueError):
            return


def fail(reporter: Reporter, error: TrainerError) -> NoReturn:
    """Print the error as JSON on stdout and as the last line of stderr, then leave with its exit code."""
    fields: dict[str, object] = {"code": error.code, "message": error.message, "hint": error.hint}
    if error.images:
        fields["images"] = [{"imageId": image, "reason": reason} for image, reason in error.images[:MAX_IMAGES]]
    reporter.emit("error", **fields)
    with contextlib.suppress(BrokenPipeError, ValueError):
        print(json.dumps({"v": PROTOCOL_VERSION, "type": "error", **fields}), file=sys.stderr, flush=True)
    # Loader threads may be inside a decode: leave without waiting for them, since all that counts is on disk.
    os._exit(error.exit_code)


def is_out_of_memory(error: BaseException) -> bool:
    """Known by its type or by torch's words for it."""
    words = ("out of memory", "can't allocate memory", "not enough memory", "Cannot allocate memory")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)


def from_exception(error: BaseException) -> TrainerError:
    """Give any exception its code: a full disk, out of memory by type or by torch's words, or `internal`."""
    # It imports this module.
    from .room import disk_full, free_bytes, is_disk_full, memory_there

    if isinstance(error, TrainerError):
        return error
    text = str(error)
    if is_disk_full(error):
        name = getattr(error, "filename", None)
        folder = Path(str(name)).parent if name else Path.cwd()
        return disk_full(folder, f"{text[:300]}", free_bytes(folder if folder.is_dir() else Path.cwd()))
    if is_out_of_memory(error):
        facts = "; ".join(part for part in (text[:300] or type(error).__name__, memory_there()) if part)
        return TrainerError("out-of-memory", f"out of memory: {facts}", MEMORY_HINT)
    return TrainerError(
        "internal",
        f"{type(error).__name__}: {text[:500]}",
        "the full trace is above this line on stderr; please report it",
    )
