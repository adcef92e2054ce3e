"""Writes checkpoints during training: the state is copied at once, and a thread writes one file at a time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from .checkpoint import Checkpoints, Saved, copied


class Writer:
    """`save` returns when the state is copied; the thread calls `on_saved` when the file is whole."""

    def __init__(self, checkpoints: Checkpoints, identity: dict[str, Any], on_saved: Callable[[Saved], None]) -> None:
        self._checkpoints, self._identity, self._on_saved = checkpoints, identity, on_saved
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._running: Future[None] | None = None

    def save(self, iteration: int, state: dict[str, Any]) -> None:
        """Waits until the checkpoint before is written: memory holds one copy, never two. Raises its errors."""
        self.wait()
        self._running = self._pool.submit(self._write, iteration, copied(state))

    def wait(self) -> None:
        """Wait for the file that is being written; raises the error of its writing."""
        running, self._running = self._running, None
        if running is not None:
            running.result()

    def _write(self, iteration: int, state: dict[str, Any]) -> None:
        self._on_saved(self._checkpoints.save(iteration, state, self._identity))
