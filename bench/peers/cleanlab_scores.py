"""Scores of cleanlab 2.9 for the labels of a scan, given the same out-of-fold logits.

Reads `<folder>/meta.json` {"images", "classes", "size"}, `labels.u8` [images, size, size] and `logits.f32`
[images, classes, size / 4, size / 4]; writes `scores.json` {"softmin": [...], "issues": [...], "seconds": {...},
"cleanlab": version}. Both scores are qualities in 0..1, low is suspect: `get_label_quality_scores` with its default
softmin, and 1 - the share of pixels that `find_label_issues` flags.
"""

import json
import sys
import time
from pathlib import Path

import cleanlab
import numpy as np
from cleanlab.segmentation.filter import find_label_issues
from cleanlab.segmentation.rank import get_label_quality_scores

BATCH = 16


def upsampling(small: int, large: int) -> np.ndarray:
    """Matrix [large, small] of bilinear interpolation by pixel centres, the edge repeated."""
    matrix = np.zeros((large, small), np.float32)
    centres = np.clip((np.arange(large) + 0.5) * small / large - 0.5, 0, small - 1)
    low = np.floor(centres).astype(int)
    high = np.minimum(low + 1, small - 1)
    share = (centres - low).astype(np.float32)
    matrix[np.arange(large), low] += 1 - share
    matrix[np.arange(large), high] += share
    return matrix


def main(folder: Path) -> None:
    meta = json.loads((folder / "meta.json").read_text())
    images, classes, size = meta["images"], meta["classes"], meta["size"]
    small = size // 4
    labels = np.fromfile(folder / "labels.u8", np.uint8).reshape(images, size, size).astype(np.int64)
    logits = np.memmap(folder / "logits.f32", np.float32, "r", shape=(images, classes, small, small))
    matrix = upsampling(small, size)
    probabilities = np.memmap(folder / "softmax.f32", np.float32, "w+", shape=(images, classes, size, size))
    for index in range(images):
        large = matrix @ logits[index] @ matrix.T
        large = np.exp(large - large.max(0, keepdims=True))
        probabilities[index] = large / large.sum(0, keepdims=True)
    seconds = {}
    start = time.perf_counter()
    softmin = np.concatenate(
        [
            np.asarray(
                get_label_quality_scores(
                    labels[at : at + BATCH], np.asarray(probabilities[at : at + BATCH]), verbose=False
                )[0]
            )
            for at in range(0, images, BATCH)
        ]
    )
    seconds["softmin"] = time.perf_counter() - start
    start = time.perf_counter()
    issues = find_label_issues(labels, probabilities, n_jobs=1, verbose=False)
    seconds["issues"] = time.perf_counter() - start
    scores = {
        "cleanlab": cleanlab.__version__,
        "softmin": softmin.astype(float).tolist(),
        "issues": (1 - issues.reshape(images, -1).mean(1)).astype(float).tolist(),
        "seconds": seconds,
    }
    (folder / "scores.json").write_text(json.dumps(scores))
    (folder / "softmax.f32").unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
