"""`partloop-trainer train --job job.json`, `lr-range`, `propose`, `attach-head`, `check`, `describe`."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import traceback
from pathlib import Path

from . import __version__
from .model.weights import package_file
from .process.launch import launch, process_count
from .process.protocol import EXITS, Reporter, StopFlag, TrainerError, fail, from_exception


def main() -> None:
    """Entry point; the exit codes are those of `protocol.EXITS`."""
    parser = argparse.ArgumentParser(
        prog="partloop-trainer", description="Trains K-Net part segmentation for partloop."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    train_command = commands.add_parser("train", help="train, validate and export; resumes by itself")
    train_command.add_argument("--job", required=True, help="path of job.json; `describe` lists its fields")
    train_command.add_argument(
        "--no-stdin-watch", action="store_true", help="keep running if stdin closes; for use by hand"
    )
    range_command = commands.add_parser(
        "lr-range", help="try rising learning rates over the job's iterations; saves nothing"
    )
    range_command.add_argument("--job", required=True, help="path of job.json")
    range_command.add_argument(
        "--no-stdin-watch", action="store_true", help="keep running if stdin closes; for use by hand"
    )
    propose_command = commands.add_parser("propose", help="propose the settings of the next trial of a search")
    propose_command.add_argument("--job", required=True, help="path of the request: space, seed and trials so far")
    head_command = commands.add_parser("attach-head", help="add the scan's outputs to a foreign ONNX network")
    head_command.add_argument("--model", required=True, help="ONNX file with one number per class and pixel")
    head_command.add_argument("--spec", required=True, help="JSON: its input, and which logits are which label")
    head_command.add_argument("--out", required=True, help="the file to write")
    head_command.add_argument("--pictures", help="raw uint8 [n, S, S, 3]: real pictures to try it on")
    commands.add_parser("check", help="print versions and whether backbone weights are installed, as JSON")
    commands.add_parser("describe", help="print the fields of job.json and the exit codes, as JSON")
    arguments = parser.parse_args()
    if arguments.command in ("train", "lr-range"):
        run_job(arguments.command, arguments.job, watch_stdin=not arguments.no_stdin_watch)
    elif arguments.command == "propose":
        run_propose(arguments.job)
    elif arguments.command == "attach-head":
        run_attach(arguments.model, arguments.spec, arguments.out, arguments.pictures)
    elif arguments.command == "check":
        print(json.dumps(check(), indent=1))
    else:
        from .job import JOB_VERSION, describe

        exits = {name: {"code": code, "retry": retry} for name, (code, retry) in EXITS.items()}
        print(json.dumps({"version": JOB_VERSION, "exits": exits, "schema": describe()}, indent=1))


def run_job(command: str, job_path: str, watch_stdin: bool) -> None:
    """Run `train` or `lr-range`, then leave the process with its exit code."""
    stop = StopFlag()
    reporter = Reporter(stop, quiet=os.environ.get("RANK", "0") != "0")
    stop.listen(watch_stdin)
    prepare_environment()
    code = 0
    try:
        from .job import read_job

        job = read_job(job_path)
        processes = 1 if command != "train" or "WORLD_SIZE" in os.environ else process_count(job.settings.processes)
        if processes > 1:
            code = launch(processes, job_path, stop)
        elif command == "train":
            from .train import train

            train(job, reporter, stop)
        else:
            from .lr_range import lr_range

            lr_range(job, reporter, stop)
    except TrainerError as error:
        fail(reporter, error)
    except BaseException as error:
        traceback.print_exc(file=sys.stderr)
        fail(reporter, from_exception(error))
    # The thread that watches stdin is blocked in a read: leave without waiting for it.
    sys.stdout.flush()
    os._exit(code)


def run_propose(path: str) -> None:
    """Print the next proposal. If there is none, print why and exit with that error's code."""
    from .propose import propose, read_request

    reporter = Reporter(StopFlag())
    try:
        reporter.emit("proposal", params=propose(read_request(Path(path))))
    except TrainerError as error:
        fail(reporter, error)


def run_attach(model: str, spec: str, out: str, pictures: str | None) -> None:
    """Attach the head and print warnings. If it cannot be attached, print why and exit with that error's code."""
    from .attach import attach_head, read_pictures, read_spec

    reporter = Reporter(StopFlag())
    try:
        how = read_spec(Path(spec))
        shown = None if pictures is None else read_pictures(Path(pictures), how.size)
        for warning in attach_head(Path(model), how, Path(out), shown):
            reporter.warn("model-suspicious", warning)
    except TrainerError as error:
        fail(reporter, error)


def prepare_environment() -> None:
    """Set the variables that libraries read when they are first imported."""
    # Threads that spin without end make a step 15 times as slow beside a busy process. Threads that never spin make it
    # 1.5 times as slow on a quiet machine. A spin of a few microseconds avoids both.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


def check() -> dict[str, object]:
    """Facts for `doctor`; `problems` is empty if training can start."""
    versions: dict[str, str] = {}
    problems: list[str] = []
    for name in ("msgspec", "numpy", "PIL", "torch", "torchvision", "timm", "onnx", "onnxruntime"):
        try:
            versions[name] = str(getattr(importlib.import_module(name), "__version__", "?"))
        except Exception as error:
            problems.append(f"{name} cannot be imported: {str(error)[:200]}")
    cuda = False
    capability = None
    if "torch" in versions:
        import torch

        cuda, capability = torch.cuda.is_available(), torch.backends.cpu.get_cpu_capability()
    return {
        "trainer": __version__,
        "python": platform.python_version(),
        "versions": versions,
        "cuda": cuda,
        "capability": capability,
        "backboneWeights": {"efficientnet_lite0": package_file() is not None},
        "problems": problems,
    }


if __name__ == "__main__":
    main()
