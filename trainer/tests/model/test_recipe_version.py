"""A comment makes no other recipe, other weights do, and checkpoints know theirs."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from conftest import run_here
from partloop_trainer.job import Job
from partloop_trainer.process import checkpoint
from partloop_trainer.process.protocol import TrainerError
from partloop_trainer.recipe import FOLDER, recipe, sources_digest

# Losses of the six steps of `conftest.tiny_raw`, by version of the recipe. Rounding differs between machines, and
# grows with the steps; another recipe differs by far more.
GOLDEN = {1: [6.038111, 5.653009, 4.886611, 5.136847, 4.816783, 4.71898]}


def test_the_sources_that_decide_weights_match_the_declared_recipe() -> None:
    assert sources_digest() == recipe().sources, (
        "sources that decide the weights differ from those of partloop_trainer/recipe.json. If runs end with other "
        "weights, or cannot resume from older checkpoints: raise its `version`, set `key` to `recipe-<version>`, "
        "and add the new losses to GOLDEN. If neither: `python -m partloop_trainer.recipe --unchanged`"
    )


def test_a_run_of_the_recipe_has_the_recorded_losses(make_job: Callable[..., Job]) -> None:
    found = [one["loss"] for one in run_here(make_job()).of("progress")]
    assert found == pytest.approx(GOLDEN[recipe().version], rel=2e-3), "other weights: raise the recipe's `version`"


def test_numbers_make_another_recipe_but_comments_docstrings_and_layout_do_not(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "same", ignore=shutil.ignore_patterns("__pycache__"))
    schedule = tmp_path / "same" / "optim" / "schedule.py"
    text = schedule.read_text()
    schedule.write_text("# a comment\n" + text.replace('"""Learning rate and', '"""Rate, learning and').replace(
        "        rise = inside", "\n\n        rise = (  # why\n        inside)"))  # fmt: skip
    assert schedule.read_text() != text
    assert sources_digest(tmp_path / "same") == sources_digest()
    schedule.write_text(text.replace("1 - UP_SHARE", "2 - UP_SHARE"))
    assert sources_digest(tmp_path / "same") != sources_digest()
    schedule.write_text(text)
    (tmp_path / "same" / "a_new_part.py").write_text("LIMIT = 3\n")
    assert sources_digest(tmp_path / "same") != sources_digest(), "a new module counts until it is named as plumbing"


def test_a_checkpoint_resumes_only_under_its_recipe_and_older_ones_have_the_first(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job()
    run_here(replace(job, stopAfter=2))
    sidecar = Path(job.workDir) / "checkpoints" / "00000002.json"
    kept = json.loads(sidecar.read_text())
    assert kept["identity"].pop("recipe") == recipe().version
    sidecar.write_text(json.dumps(kept))
    assert run_here(replace(job, stopAfter=4)).of("started")[0]["resumedFrom"] == 2
    monkeypatch.setattr(checkpoint, "recipe", lambda: dataclasses.replace(recipe(), version=recipe().version + 1))
    with pytest.raises(TrainerError, match=rf"recipe: {recipe().version} → {recipe().version + 1}"):
        run_here(job)


def test_a_run_of_other_code_goes_on_with_a_warning(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job()
    run_here(replace(job, stopAfter=2))
    monkeypatch.setattr(checkpoint, "sources_digest", lambda: "another build")
    recorder = run_here(job)
    assert recorder.of("started")[0]["resumedFrom"] == 2
    assert [one["code"] for one in recorder.of("warning")] == ["resume-not-exact"]
    assert "code" in recorder.of("warning")[0]["message"]
