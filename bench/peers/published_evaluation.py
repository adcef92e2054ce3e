"""IoU, boundary IoU and calibration error of sets of masks by their published definitions.

Reads `<folder>/meta.json` {"sets": [{"classes", "images": [[width, height], ...]}, ...]} and the values of all images
one after the other: `given.u8` (255 is ignored), `predicted.u8`, and `probabilities.u8` (255 times the probability of
each predicted pixel). Prints {"sets": [{"iou", "boundaryIou", "imageMiou", "calibrationError",
"overallCalibrationError"}, ...], "versions": {...}}: IoU of the classes 1..N over the set, null without ground truth;
the mean IoU of each image over the classes in ground truth or prediction; the calibration error of the pixels predicted
as each class, and as a part of whatever class.

IoU comes from the confusion matrix of torchmetrics; the expected calibration error in ten bins is its own, too.
Boundary IoU is that of Cheng et al. 2021 (arXiv 2103.16562): a mask without its erosion by a 3x3 square, repeated as
often as 2 % of the diagonal has pixels; pixels beyond the picture are not of the mask. Pixels that are ignored leave
intersection and union, as those of VOID do in the authors' panoptic evaluation.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchmetrics
from torchmetrics.functional.classification import binary_calibration_error, multiclass_confusion_matrix

IGNORED = 255
BINS = 10
DILATION_RATIO = 0.02


def boundary_of(mask: np.ndarray) -> np.ndarray:
    """The pixels of a binary mask [height, width] near its contour."""
    height, width = mask.shape
    dilation = max(1, round(DILATION_RATIO * math.sqrt(height**2 + width**2)))
    eroded = np.pad(mask, 1)
    for _ in range(dilation):
        # Beyond the padding nothing erodes.
        around = np.pad(eroded, 1, constant_values=True)
        shifted = [around[y : y + height + 2, x : x + width + 2] for y in range(3) for x in range(3)]
        eroded = np.logical_and.reduce(shifted)
    return mask & ~eroded[1:-1, 1:-1]


def boundary_counts(given: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Intersections and unions [2, classes] of one image."""
    counts = np.zeros((2, classes), np.int64)
    counted = given != IGNORED
    for label in range(1, classes + 1):
        mine, theirs = given == label, predicted == label
        if not mine.any() and not theirs.any():
            continue
        mine, theirs = boundary_of(mine) & counted, boundary_of(theirs) & counted
        counts[:, label - 1] = (mine & theirs).sum(), (mine | theirs).sum()
    return counts


def confusion(given: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Pixels [classes + 1, classes + 1] of one image, given in rows."""
    target = torch.from_numpy(given.astype(np.int64)).flatten()
    seen = torch.from_numpy(predicted.astype(np.int64)).flatten()
    return multiclass_confusion_matrix(seen, target, num_classes=classes + 1, ignore_index=IGNORED).numpy()


def iou_of(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """IoU, pixels of ground truth and union of the classes 1..N."""
    truth = matrix.sum(1)[1:]
    union = truth + matrix.sum(0)[1:] - matrix.diagonal()[1:]
    return matrix.diagonal()[1:] / np.maximum(union, 1), truth, union


def calibration_error(given: np.ndarray, predicted: np.ndarray, p: np.ndarray, chosen: np.ndarray) -> float | None:
    """Expected calibration error of the chosen ones of all pixels."""
    chosen = chosen & (given != IGNORED)
    if not chosen.any():
        return None
    right = torch.from_numpy((given == predicted)[chosen].astype(np.int64))
    claimed = torch.from_numpy(p[chosen].astype(np.float64) / 255)
    return float(binary_calibration_error(claimed, right, n_bins=BINS, norm="l1"))


def measure(images: list[tuple[np.ndarray, ...]], classes: int) -> dict[str, Any]:
    """The figures of one set."""
    matrices = [confusion(given, predicted, classes) for given, predicted, _ in images]
    boundary = sum(boundary_counts(given, predicted, classes) for given, predicted, _ in images)
    given, predicted, p = (np.concatenate([one[at].ravel() for one in images]) for at in range(3))
    iou, truth, _ = iou_of(sum(matrices))
    boundary_iou = boundary[0] / np.maximum(boundary[1], 1)
    per_image = []
    for matrix in matrices:
        own, _, union = iou_of(matrix)
        per_image.append(float(own[union > 0].mean()) if (union > 0).any() else 1.0)

    def with_truth(values: np.ndarray) -> list[float | None]:
        return [float(value) if pixels > 0 else None for value, pixels in zip(values, truth, strict=True)]

    return {
        "iou": with_truth(iou),
        "boundaryIou": with_truth(boundary_iou),
        "imageMiou": per_image,
        "calibrationError": [
            calibration_error(given, predicted, p, predicted == label) for label in range(1, classes + 1)
        ],
        "overallCalibrationError": calibration_error(given, predicted, p, predicted > 0),
    }


def main(folder: Path) -> None:
    meta = json.loads((folder / "meta.json").read_text())
    given = np.fromfile(folder / "given.u8", np.uint8)
    predicted = np.fromfile(folder / "predicted.u8", np.uint8)
    p = np.fromfile(folder / "probabilities.u8", np.uint8)
    at = 0
    answers = []
    for one in meta["sets"]:
        images = []
        for width, height in one["images"]:
            end = at + width * height
            images.append(tuple(plane[at:end].reshape(height, width) for plane in (given, predicted, p)))
            at = end
        answers.append(measure(images, one["classes"]))
    versions = {module.__name__: module.__version__ for module in (np, torch, torchmetrics)}
    print(json.dumps({"sets": answers, "versions": versions}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
