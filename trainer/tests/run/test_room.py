"""Errors of a full disk or lack of memory name the needed and the available amount."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from conftest import run_here
from partloop_trainer.job import Job
from partloop_trainer.process.protocol import TrainerError, from_exception
from partloop_trainer.process.room import size_text


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A disk of a given size, mounted under the test's folder."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(size: str) -> Path:
        options = f"size={size}" + (",remount" if os.path.ismount(folder) else "")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], capture_output=True)
        if done.returncode:
            pytest.skip(f"mounting a small disk is not permitted here: {done.stderr.decode().strip()}")
        return folder

    yield mount
    if os.path.ismount(folder):
        # A failed write may still hold its file open.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_too_small_for_a_checkpoint_is_named_with_both_sizes_and_keeps_no_torn_file(
    make_job: Callable[..., Job], small_disk: Callable[[str], Path]
) -> None:
    disk = small_disk("1m")
    with pytest.raises(TrainerError) as caught:
        run_here(make_job("disk/work"))
    assert (caught.value.code, caught.value.exit_code) == ("disk-full", 8)
    pattern = r"the disk of (\S+) is full: the checkpoint of iteration \d+ needs (\S+) MB, (\S+) [kM]B are free"
    found = re.search(pattern, caught.value.message)
    assert found is not None, caught.value.message
    assert found[1].startswith(str(disk)) and float(found[2]) > 1
    assert "PARTLOOP_HOME" in caught.value.hint
    assert list(disk.glob("work/checkpoints/*.tmp")) == []


def test_a_run_goes_on_once_there_is_room_again(
    make_job: Callable[..., Job], small_disk: Callable[[str], Path]
) -> None:
    small_disk("64m")
    job = make_job("disk/work")
    filler = Path(job.workDir).parent / "filler"
    for room in (0, 64):
        if room:
            filler.unlink()
        else:
            filler.write_bytes(b"x" * (62 << 20))
        if room:
            run_here(job)
        else:
            with pytest.raises(TrainerError, match="is full"):
                run_here(job)
    assert (Path(job.workDir) / "result.json").exists()


def test_an_unforeseen_file_can_also_report_a_full_disk(small_disk: Callable[[str], Path]) -> None:
    disk = small_disk("64k")
    with pytest.raises(OSError) as caught:
        (disk / "any").write_bytes(b"x" * 1_000_000)
    told = from_exception(caught.value)
    assert told.code == "disk-full" and "No space left" in told.message


def test_missing_memory_is_named_with_the_used_and_free_amounts() -> None:
    for wish in (lambda: np.ones(1 << 55), lambda: bytearray(1 << 62)):
        with pytest.raises(MemoryError) as caught:
            wish()
        told = from_exception(caught.value)
        assert (told.code, told.exit_code) == ("out-of-memory", 7)
        assert re.search(r"this process held up to \S+ [GM]B; the machine had \S+ [GM]B of \S+ GB left", told.message)
        assert "train.batchSize" in told.hint


def test_sizes_have_readable_units() -> None:
    sizes = [12, 1_234, 820_000_000, 1_500_000_000, 120e9]
    assert [size_text(one) for one in sizes] == ["12 bytes", "1.2 kB", "820 MB", "1.5 GB", "120 GB"]
