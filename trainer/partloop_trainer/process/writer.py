"""Writes checkpoints beside the training: the state is copied at once, one file at a time is written in a thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from .checkpoint import Checkpoints, Saved, copied


class Writer:
    """`save` returns as soon as the state is copied; `on_saved` is called from the thread when the file is whole."""

    def __init__(self, checkpoints: Checkpoints, identity: dict[str, Any], on_saved: Callable[[Saved], None]) -> None:
        self._checkpoints, self._identity, self._on_saved = checkpoints, identity, on_saved
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._running: Future[None] | None = None

    def save(self, iteration: int, state: dict[str, Any]) -> None:
        """Waits where the checkpoint before is not written yet: memory holds one copy, never two. Raises its errors."""
        self.wait()
        self._running = self._pool.submit(self._write, iteration, copied(state))

    def wait(self) -> None:
        """Wait for the file that is being written; raises what writing it raised."""
        running, self._running = self._running, None
        if running is not None:
            running.result()

    def _write(self, iteration: int, state: dict[str, Any]) -> None:
        self._on_saved(self._checkpoints.save(iteration, state, self._identity))
