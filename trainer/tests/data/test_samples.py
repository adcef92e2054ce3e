"""Sampling, augmentation and preprocessing are pure and keep image and label together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from conftest import COLOURS
from partloop_trainer.data.augment import augment, flip_table
from partloop_trainer.data.dataset import ImageSet, Loader, load_label, read_records
from partloop_trainer.data.preprocess import (
    IGNORE,
    PAD_RGB,
    content_size,
    letterbox_image,
    letterbox_label,
    resize_image,
    resize_label,
)
from partloop_trainer.data.sampling import AUGMENT, CHOICE, Sampler, class_weights, image_weights, stream
from partloop_trainer.job import Job
from partloop_trainer.process.protocol import TrainerError
from partloop_trainer.settings import Augment

STILL = Augment(angle=0.0, crop=0.0, flip=False, brightness=0.0, contrast=0.0)


def test_batches_are_the_same_for_any_number_of_threads_and_any_first_iteration(make_job: Callable[..., Job]) -> None:
    def digests(workers: int, first: int) -> list[tuple[int, bytes]]:
        job = make_job(internal={"loaderWorkers": workers}, settings={"batchSize": 3})
        images = ImageSet(read_records(job.train), 4, 1_000_000 if workers else 0)
        loader = Loader(
            job, images, Sampler(job.seed, np.full(8, 1 / 8)), lambda iteration: 64 if iteration < 2 else 96
        )
        return [
            (one.iteration, one.image.numpy().tobytes() + one.label.numpy().tobytes())
            for one in loader.batches(first, 5)
        ]

    assert digests(0, 0) == digests(3, 0)
    assert digests(2, 3) == digests(0, 0)[3:]


@given(st.integers(0, 2**31 - 1), st.integers(0, 2**40))
def test_a_sample_depends_only_on_seed_and_number(seed: int, sample: int) -> None:
    assert stream(seed, sample, CHOICE).random() == stream(seed, sample, CHOICE).random()
    assert stream(seed, sample, CHOICE).random() != stream(seed, sample, AUGMENT).random()


def test_rare_images_are_drawn_as_often_as_their_weights_say() -> None:
    counts = np.array([[10, 5, 0]] * 15 + [[10, 0, 5]])
    weights = image_weights(counts, 0.5)
    assert weights[15] / weights[0] == pytest.approx((1 / 16) ** -0.5 / (15 / 16) ** -0.5)
    sampler = Sampler(1, weights)
    drawn = np.bincount([sampler.index(number) for number in range(4000)], minlength=16) / 4000
    assert drawn[15] == pytest.approx(weights[15], abs=0.03)


def test_images_without_labelled_pixels_are_not_drawn() -> None:
    assert image_weights(np.array([[0, 0], [4, 4]]), 0.25).tolist() == [0.0, 1.0]


def test_class_weights_favour_rare_classes_within_their_bounds() -> None:
    weights = class_weights(np.array([[1_000_000, 100_000, 10_000, 0]]), 0.5, (0.25, 1.5))
    assert weights[0] < weights[1] < weights[2] == 1.5
    assert weights[1] == 1.0 and weights[3] == 1.0


def test_a_flip_swaps_left_and_right_in_image_and_label() -> None:
    label = np.zeros((64, 64), np.uint8)
    label[10:20, :10] = 1
    image = np.asarray(COLOURS, np.uint8)[label]
    number = next(n for n in range(99) if stream(1, n, AUGMENT).random(7)[4] < 0.5)
    settings_ = Augment(angle=0.0, crop=0.0, flip=True, brightness=0.0, contrast=0.0)
    flipped, flipped_label = augment(image, label, 64, settings_, flip_table([[1, 2]]), stream(1, number, AUGMENT))
    assert (
        (flipped_label[10:20, -10:] == 2).all() and (flipped_label == 2).sum() == 100 and not (flipped_label == 1).any()
    )
    assert (flipped == image[:, ::-1]).all()


@given(st.integers(0, 10_000), st.integers(8, 64), st.integers(8, 64))
@settings(max_examples=60, deadline=None)
def test_image_and_label_move_together(number: int, width: int, height: int) -> None:
    label = np.zeros((height, width), np.uint8)
    label[height // 4 : height // 2, width // 4 : width // 2] = 3
    image = np.repeat((label * 60 + 20)[..., None], 3, axis=2).astype(np.uint8)
    longest = max(width, height)
    content = resize_image(Image.fromarray(image), longest)
    out, out_label = augment(
        content, label, longest, Augment(brightness=0.0, contrast=0.0), flip_table([]), stream(3, number, AUGMENT)
    )
    assert out.shape == (longest, longest, 3) and out_label.shape == (longest, longest)
    inside = np.abs(out.astype(int) - 200).max(axis=2) < 1  # only pixels that no border has blended
    assert (out_label[inside] == 3).all()


@given(st.integers(1, 5000), st.integers(1, 5000), st.sampled_from([32, 64, 256, 512]))
def test_the_longest_side_becomes_the_size(width: int, height: int, size: int) -> None:
    found = content_size(width, height, size)
    assert max(found) == size and min(found) >= 1


def test_letterboxing_keeps_the_top_left_and_pads_the_rest() -> None:
    image = Image.new("RGB", (100, 50), (1, 2, 3))
    boxed = letterbox_image(resize_image(image, 64), 64)
    assert boxed[31, 63].tolist() == [1, 2, 3] and boxed[32, 0].tolist() == list(PAD_RGB)
    label = letterbox_label(resize_label(np.full((50, 100), 2, np.uint8), 64), 64)
    assert (label[:32] == 2).all() and (label[32:] == IGNORE).all()


def test_without_augmentation_the_sample_is_the_letterboxed_image() -> None:
    content = np.arange(40 * 64 * 3, dtype=np.uint8).reshape(40, 64, 3)
    label = np.zeros((40, 64), np.uint8)
    out, _ = augment(content, label, 64, STILL, flip_table([]), stream(1, 1, AUGMENT))
    assert (out == letterbox_image(content, 64)).all()


def test_ignore_boxes_become_255_and_bad_labels_name_their_file(make_job: Callable[..., Job]) -> None:
    records = read_records(make_job().train)
    label = load_label(records[3], 4)
    assert (label[:6, :8] == IGNORE).all() and label[6, 8] != IGNORE
    with pytest.raises(TrainerError) as caught:
        load_label(records[1], 3)
    assert caught.value.exit_code == 3 and records[1].label in caught.value.message
