"""What a foreign network says of real pictures: whether it is what model.json says, in words for its owner.

A network that answers NaN, gives probabilities for logits or sees the same in every picture still gives a mask. Nothing
in a mask shows it.
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
    """Raise `data-unusable` unless `values` hold one number a class and pixel.

    That is [1, classes, h, w], or [1, h, w, classes] where the layout is NHWC.
    """
    axis = 3 if layout == "NHWC" else 1
    shape = list(values.shape)
    if values.ndim == 4 and shape[axis] == classes and shape[0] == 1:
        return
    message = f"{path} gives an output of shape {shape}, model.json names {classes} classes"
    other = "NCHW" if layout == "NHWC" else "NHWC"
    if values.ndim == 4 and shape[4 - axis] == classes:
        hint = f'its classes lie on another axis: say "outputLayout": "{other}" in model.json'
    elif values.ndim == 3 or 1 in shape[1:2] + shape[3:]:
        hint = "that is one number a pixel: export it without its last argmax or sigmoid, with a logit for each class"
    elif values.ndim == 4:
        hint = f"`classes` must name all {shape[axis]} outputs in their order, background too"
    else:
        hint = "the output must be logits [1, classes, h, w]; name another one as `output` in model.json"
    raise TrainerError("data-unusable", message, hint)


def check_answers(path: Path, answers: np.ndarray, outputs: str, names: tuple[str, ...]) -> list[str]:
    """Raise `data-unusable` where the network cannot judge; else return what is suspicious.

    answers: [pictures, classes, h, w] as the network gave them; outputs: what model.json says they are; names: of its
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
            f"{path} finds the one class `{name}` in every pixel of {len(values)} pictures of the pool: are scale,"
            " mean, std, channels and size of model.json those that it was trained with?"
        )
    return warnings


def _usable(values: np.ndarray) -> np.ndarray:
    """Which pictures have a number in every pixel; a class may be impossible (minus infinity), not all."""
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
            "often numbers left the range of float16, or the input is scaled wrongly: export it as float32, check"
            " scale, mean and std"
        )
        raise TrainerError("data-unusable", message, hint)
    return [f"{message}; pictures that it answers so become errors in the result"]


def _logits(path: Path, values: np.ndarray) -> None:
    # Both ends are sharp: what was squashed never leaves 0 to 1.
    if values.min() < 0 or values.max() > 1 or _spread(values) == 0:
        return
    if not _sums_to_one(values):
        raise TrainerError(
            "data-unusable",
            f"{path} gives numbers from {values.min():.3g} to {values.max():.3g} that do not sum to 1: it looks like"
            " a sigmoid for each class, not logits",
            "export it without its last sigmoid",
        )
    _graded(path, values)
    raise TrainerError(
        "data-unusable",
        f"{path} gives probabilities (0 to 1, with sum 1 in every pixel), not logits: taken for logits every class"
        " would be about equally likely",
        'say "outputs": "probabilities" in model.json, or export it without its last softmax',
    )


def _probabilities(path: Path, values: np.ndarray) -> None:
    if values.min() < -ROUNDING or values.max() > 1 + ROUNDING or not _sums_to_one(values):
        raise TrainerError(
            "data-unusable",
            f"{path} gives numbers from {values.min():.3g} to {values.max():.3g}; model.json says probabilities,"
            " which lie between 0 and 1 and sum to 1 in every pixel",
            "leave `outputs` out of model.json where they are logits",
        )
    _graded(path, values)


def _graded(path: Path, values: np.ndarray) -> None:
    """Zeros and ones say which class and not how surely."""
    if np.isin(values, (0.0, 1.0)).all():
        raise TrainerError(
            "data-unusable",
            f"{path} gives only zeros and ones: a class map, without a probability",
            "export it without its last argmax",
        )


def _sums_to_one(values: np.ndarray) -> bool:
    return bool(np.abs(values.sum(1) - 1).max() <= ROUNDING)


def _spread(values: np.ndarray) -> float:
    finite = np.where(np.isfinite(values), values, 0)
    return float((finite.max((0, 2, 3)) - finite.min((0, 2, 3))).max())


def _varied(path: Path, values: np.ndarray) -> None:
    """Refuse what does not depend on the picture."""
    finite = np.where(np.isfinite(values), values, 0)
    bound = EQUAL * max(float(np.abs(finite).max()), 1e-30)
    between = float((finite.max(0) - finite.min(0)).max()) if len(values) > 1 else float("inf")
    if _spread(values) > bound and between > bound:
        return
    raise TrainerError(
        "data-unusable",
        f"{path} gives the same numbers for each of {len(values)} different pictures of the pool: it does not see them",
        "check that the file holds trained weights, and scale, mean and std of model.json",
    )
