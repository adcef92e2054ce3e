"""Mirroring swaps left and right as an oracle does that knows the side of a part by its position."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from partloop_trainer.data.augment import augment, flip_table
from partloop_trainer.data.preprocess import Pixels
from partloop_trainer.data.sampling import AUGMENT, stream
from partloop_trainer.settings import Augment

KINDS = 3
# Kind k of a part has the grey 60 (k + 1); its left one has the label 2k + 1, its right one 2k + 2.
PAIRS = [[2 * kind + 1, 2 * kind + 2] for kind in range(KINDS)]
SIDE = 32
FLIP_ONLY = Augment(angle=0.0, crop=0.0, flip=True, brightness=0.0, contrast=0.0)


def predict(image: Pixels) -> Pixels:
    """The oracle: a part left of the middle is a left part. image: [S, S, 3] → [S, S]."""
    kind = image[..., 0].astype(int) // 60
    is_right = np.arange(image.shape[1]) >= image.shape[1] // 2
    return np.where(kind > 0, 2 * kind - 1 + is_right, 0).astype(np.uint8)


@st.composite
def pictures(draw: st.DrawFn) -> Pixels:
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    for _ in range(draw(st.integers(0, 5))):
        kind, y, x = draw(st.integers(0, KINDS - 1)), draw(st.integers(0, SIDE - 1)), draw(st.integers(0, SIDE - 1))
        image[y : y + draw(st.integers(1, SIDE)), x : x + draw(st.integers(1, SIDE))] = 60 * (kind + 1)
    return image


@given(pictures())
@settings(max_examples=100, deadline=None)
def test_the_oracle_labels_a_mirrored_picture_with_the_swapped_mirrored_label(image: Pixels) -> None:
    swap = flip_table(PAIRS)
    mirrored = predict(image)[:, ::-1]
    assert (predict(np.ascontiguousarray(image[:, ::-1])) == swap[mirrored]).all()
    if image.any():
        assert (predict(image[:, ::-1]) != mirrored).any(), "without the swap left and right are confused"


@given(pictures(), st.integers(0, 10_000))
@settings(max_examples=100, deadline=None)
def test_the_label_of_an_augmented_sample_equals_that_of_the_oracle(image: Pixels, number: int) -> None:
    out, label = augment(image, predict(image), SIDE, FLIP_ONLY, flip_table(PAIRS), stream(1, number, AUGMENT))
    assert (predict(out) == label).all()


@given(st.lists(st.integers(1, 254), unique=True, max_size=40))
def test_swapping_twice_changes_nothing_and_only_pairs_move(values: list[int]) -> None:
    pairs = [values[index : index + 2] for index in range(0, len(values) - 1, 2)]
    table = flip_table(pairs)
    assert (table[table] == np.arange(256)).all()
    moved = {value for pair in pairs for value in pair}
    assert all((table[value] != value) == (value in moved) for value in range(256))
