"""Unusable images are named by id, all at once, so that the parent can go on without them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conftest import CLASSES, Child, tiny_raw
from partloop_trainer.data.dataset import label_counts, read_records
from partloop_trainer.process.protocol import StopFlag, TrainerError


def spoiled(data: Path, folder: Path, spoil: dict[int, bytes], key: str) -> Path:
    """The list of `data` with other bytes for some images or labels."""
    lines: list[str] = []
    for index, line in enumerate((data / "train.jsonl").read_text().splitlines()):
        record: dict[str, Any] = json.loads(line)
        if index in spoil:
            path = folder / f"{index}.{key}.png"
            path.write_bytes(spoil[index])
            record[key] = str(path)
        lines.append(json.dumps(record))
    path = folder / "spoiled.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_every_unusable_label_and_image_is_named_before_the_first_step(data: Path, tmp_path: Path) -> None:
    high = tmp_path / "high.png"
    Image.fromarray(np.full((60, 80), 9, np.uint8)).save(high)
    path = spoiled(data, tmp_path, {2: b"no picture", 5: high.read_bytes()}, "label")
    with pytest.raises(TrainerError) as raised:
        label_counts(read_records(str(path)), len(CLASSES), tmp_path / "counts.npz", "d", 2, StopFlag())
    assert [image for image, _ in raised.value.images] == ["image2", "image5"]
    assert "; in all, 2 images cannot be used" in raised.value.message
    assert "holds the value 9; the highest class is 3" in raised.value.images[1][1]
    assert not (tmp_path / "counts.npz").exists()


def test_a_torn_image_is_named_in_the_message_to_the_parent(data: Path, tmp_path: Path) -> None:
    torn = (data / "4.png").read_bytes()[:20]
    raw = tiny_raw(data, tmp_path / "work") | {"train": str(spoiled(data, tmp_path, {4: torn}, "image"))}
    code, messages, _ = Child(raw, tmp_path / "work").end()
    assert code == 3
    error = next(one for one in messages if one["type"] == "error")
    assert [one["imageId"] for one in error["images"]] == ["image4"]
    assert "cannot be read" in error["images"][0]["reason"]
