"""Checks a foreign network's answers to real pictures against model.json, with messages for its owner.

A network that answers NaN, gives probabilities instead of logits or the same answer for every picture still gives a
mask, and the mask does not show the fault.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .protocol import TrainerError

# How far probabilities may lie from 0, 1 and a sum of 1: float16 rounds to 5e-4 each.
ROUNDING = 1e-2
# Differences below it, as a share of the largest value, are rounding.
EQUAL = 1e-5


def shape_fault(path: Path, values: np.ndarray, classes: int, layout: str) -> None:
    """Raise `data-unusable` unless `values` hold one number per class and pixel.

    That is [1, classes, h, w], or [1, h, w, classes] if the layout is NHWC.
    """
    axis = 3 if layout == "NHWC" else 1
    shape = list(values.shape)
    if values.ndim == 4 and shape[axis] == classes and shape[0] == 1:
        return
    message = f"{path} gives an output of shape {shape}, model.json names {classes} classes"
    other = "NCHW" if layout == "NHWC" else "NHWC"
    if values.ndim == 4 and shape[4 - axis] == classes:
        hint = f'its classes are on another axis: set "outputLayout": "{other}" in model.json'
    elif values.ndim == 3 or 1 in shape[1:2] + shape[3:]:
        hint = "that is one number per pixel: export it without its last argmax or sigmoid, with a logit for each class"
    elif values.ndim == 4:
        hint = f"`classes` must name all {shape[axis]} outputs in their order, including the background"
    else:
        hint = "the output must be logits [1, classes, h, w]; name another one as `output` in model.json"
    raise TrainerError("data-unusable", message, hint)


def check_answers(path: Path, answers: np.ndarray, outputs: str, names: tuple[str, ...]) -> list[str]:
    """Raise `data-unusable` if the network cannot judge; otherwise return a warning for each suspicious sign.

    answers: [pictures, classes, h, w] as the network gave them; outputs: their sort by model.json; names: of its
    classes.
    """
    values = answers.astype(np.float64)
    warnings = _finite(path, values)
    values = values[_usable(values)]
    if outputs == "probabilities":
        _probabilities(path, values)
    else:
        _logits(path, values)
    _varied(path, values)
    best = np.unique(values.argmax(1))
    if best.size == 1:
        name = names[int(best[0])] if int(best[0]) < len(names) else f"number {best[0]}"
        warnings.append(
            f"{path} finds only the class `{name}` in all pixels of {len(values)} pictures of the pool: are scale,"
            " mean, std, channels and size in model.json the ones that it was trained with?"
        )
    return warnings


def _usable(values: np.ndarray) -> np.ndarray:
    """Which pictures have a number in every pixel; some classes, but not all, may be minus infinity (impossible)."""
    broken = np.isnan(values) | np.isposinf(values)
    nowhere = np.asarray(np.isneginf(values).all(1))
    return ~np.asarray([bool(one.any() or none.any()) for one, none in zip(broken, nowhere, strict=True)])


def _finite(path: Path, values: np.ndarray) -> list[str]:
    usable = _usable(values)
    bad = int((~usable).sum())
    if bad == 0:
        return []
    what = "NaN" if np.isnan(values).any() else "infinite values"
    message = f"{path} answers with {what} for {bad} of {len(values)} pictures of the pool"
    if 2 * bad >= len(values):
        hint = (
            "often numbers left the range of float16, or the input is scaled wrongly: export it as float32, and check"
            " scale, mean and std"
        )
        raise TrainerError("data-unusable", message, hint)
    return [f"{message}; such pictures become errors in the result"]


def _logits(path: Path, values: np.ndarray) -> None:
    # Both bounds are exact: squashed values never leave 0 to 1.
    if values.min() < 0 or values.max() > 1 or _spread(values) == 0:
        return
    if not _sums_to_one(values):
        raise TrainerError(
            "data-unusable",
            f"{path} gives numbers from {values.min():.3g} to {values.max():.3g} that do not sum to 1: they look like"
            " a sigmoid for each class, not logits",
            "export it without its last sigmoid",
        )
    _graded(path, values)
    raise TrainerError(
        "data-unusable",
        f"{path} gives probabilities (0 to 1, with sum 1 in every pixel), not logits: read as logits, they would"
        " make all classes about equally likely",
        'set "outputs": "probabilities" in model.json, or export it without its last softmax',
    )


def _probabilities(path: Path, values: np.ndarray) -> None:
    if values.min() < -ROUNDING or values.max() > 1 + ROUNDING or not _sums_to_one(values):
        raise TrainerError(
            "data-unusable",
            f"{path} gives numbers from {values.min():.3g} to {values.max():.3g}; model.json says probabilities,"
            " which are between 0 and 1 and sum to 1 in every pixel",
            "if they are logits, leave `outputs` out of model.json",
        )
    _graded(path, values)


def _graded(path: Path, values: np.ndarray) -> None:
    """Refuse zeros and ones: they tell the class, but no probability."""
    if np.isin(values, (0.0, 1.0)).all():
        raise TrainerError(
            "data-unusable",
            f"{path} gives only zeros and ones: a class map without probabilities",
            "export it without its last argmax",
        )


def _sums_to_one(values: np.ndarray) -> bool:
    return bool(np.abs(values.sum(1) - 1).max() <= ROUNDING)


def _spread(values: np.ndarray) -> float:
    finite = np.where(np.isfinite(values), values, 0)
    return float((finite.max((0, 2, 3)) - finite.min((0, 2, 3))).max())


def _varied(path: Path, values: np.ndarray) -> None:
    """Refuse answers that do not depend on the picture."""
    finite = np.where(np.isfinite(values), values, 0)
    bound = EQUAL * max(float(np.abs(finite).max()), 1e-30)
    between = float((finite.max(0) - finite.min(0)).max()) if len(values) > 1 else float("inf")
    if _spread(values) > bound and between > bound:
        return
    raise TrainerError(
        "data-unusable",
        f"{path} gives the same numbers for {len(values)} different pictures of the pool: it does not see them",
        "check that the file holds trained weights, and check scale, mean and std in model.json",
    )
