"""One process per device, started by one command: torchrun's environment, but our own exit codes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

from .protocol import EXITS, StopFlag, TrainerError

POLL_SECONDS = 0.1
# After one process has failed, the others wait for it in vain; those that are saving may finish.
GRACE_SECONDS = 30.0


def process_count(asked: int) -> int:
    """`processes` of the job with 0 resolved: one per visible GPU, otherwise one."""
    if asked > 0:
        return asked
    import torch

    return max(1, torch.cuda.device_count())


def launch(count: int, job_path: str, stop: StopFlag) -> int:
    """Run `train` in `count` processes that end together; returns the exit code of the first that failed, or 0."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {**os.environ, "WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    shared.setdefault("GLOO_SOCKET_IFNAME", "lo")
    command = [sys.executable, "-m", "partloop_trainer", "train", "--job", job_path]
    # Each holds a pipe to this process as stdin: if it dies, they save and end.
    children = [
        subprocess.Popen(command, env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)}, stdin=subprocess.PIPE)
        for rank in range(count)
    ]
    try:
        return _watch(children, stop)
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
            child.wait()


def _watch(children: list[subprocess.Popen[bytes]], stop: StopFlag) -> int:
    told = False
    deadline: float | None = None
    while True:
        codes = [child.poll() for child in children]
        failed = [(rank, code) for rank, code in enumerate(codes) if code]
        if None not in codes or (deadline is not None and time.monotonic() > deadline):
            return _exit_code(*failed[0]) if failed else 0
        if failed and deadline is None:
            deadline = time.monotonic() + (GRACE_SECONDS if failed[0][1] == EXITS["stopped"][0] else 1.0)
        if stop.is_set() and not told:
            told = True
            for child in children:
                if child.poll() is None:
                    child.send_signal(signal.SIGTERM)
        time.sleep(POLL_SECONDS)


def _exit_code(rank: int, code: int) -> int:
    if code > 0:
        return code
    name = signal.Signals(-code).name
    raise TrainerError("internal", f"process {rank} was killed by {name}", "often the machine ran out of memory")
