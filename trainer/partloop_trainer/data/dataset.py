"""Images and labels: reading the lists, statistics of the labels, and batches prepared ahead of the training step."""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ..job import Job
from ..process.protocol import StopFlag, TrainerError
from ..process.room import room_for
from .augment import augment, flip_table
from .normal_form import HINT, deviation
from .preprocess import IGNORE, Pixels, resize_image, resize_label
from .sampling import AUGMENT, Sampler, stream


@dataclass(frozen=True)
class Record:
    """One line of a list: an upright image, its label (8-bit grey PNG), and boxes to ignore as shares of the sides."""

    image_id: str
    image: str
    label: str
    ignore: tuple[tuple[float, float, float, float], ...]


def read_records(path: str, code: str = "data-unusable") -> list[Record]:
    """Read a list of images; raises an error that names the file and line that cannot be used."""
    records: list[Record] = []
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TrainerError(code, f"list {path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            raw = json.loads(line)
            boxes = tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in raw.get("ignore") or [])
            records.append(Record(str(raw["imageId"]), str(raw["image"]), str(raw["label"]), boxes))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            hint = "each line needs imageId, image and label; it may have ignore boxes [x0, y0, x1, y1]"
            raise TrainerError(code, f"list {path}, line {number} is invalid: {error!r}", hint) from error
    if not records:
        raise TrainerError(code, f"list {path} holds no images")
    return records


def unusable(record: Record, message: str, hint: str = "") -> TrainerError:
    """`data-unusable` that also names the image by its id, so that the parent can go on without it."""
    return TrainerError("data-unusable", message, hint, ((record.image_id, message),))


@contextmanager
def open_image(record: Record) -> Iterator[Image.Image]:
    """The opened image; raises `data-unusable` naming a file that cannot be read or is not in the normal form."""
    name = f"image {record.image} ({record.image_id})"
    try:
        with Image.open(record.image) as image:
            problem = deviation(image)
            if problem is not None:
                raise unusable(record, f"{name} is not in the trainer's normal form: it {problem}", HINT)
            yield image
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise unusable(record, f"{name} cannot be read: {error}") from error


def load_image(record: Record) -> Image.Image:
    """The decoded image, three bands; raises `data-unusable` naming the file."""
    with open_image(record) as image:
        return image.convert("RGB")


def load_label(record: Record, classes: int) -> Pixels:
    """[h, w] class indices with ignore boxes applied; raises `data-unusable` naming the file."""
    name = f"label {record.label} ({record.image_id})"
    try:
        with Image.open(record.label) as image:
            mode, label = image.mode, np.array(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise unusable(record, f"{name} cannot be read: {error}") from error
    if mode != "L":
        raise unusable(record, f"{name} has PNG mode {mode}", "labels are 8-bit greyscale index PNGs")
    highest = int(label[label != IGNORE].max(initial=0))
    if highest >= classes:
        raise unusable(record, f"{name} holds the value {highest}; the highest class is {classes - 1}")
    height, width = label.shape
    for x0, y0, x1, y1 in record.ignore:
        rows = slice(int(np.floor(max(0.0, y0) * height)), int(np.ceil(y1 * height)))
        label[rows, int(np.floor(max(0.0, x0) * width)) : int(np.ceil(x1 * width))] = IGNORE
    return label


def image_size(record: Record) -> tuple[int, int]:
    """Width and height from the file's header; raises `data-unusable` naming the file."""
    with open_image(record) as image:
        return image.size


def check_sizes(record: Record, size: tuple[int, int], label: Pixels) -> None:
    """Raise `data-unusable` if image (width, height) and label differ in size."""
    height, width = label.shape
    if (width, height) != size:
        message = f"label {record.label} is {width}×{height}, image {record.image} is {size[0]}×{size[1]}"
        raise unusable(record, message, "a label must have the size of the upright image")


class ImageSet:
    """The images of one list, decoded and scaled on demand; up to `cache_bytes` of them stay in memory."""

    def __init__(self, records: list[Record], classes: int, cache_bytes: int) -> None:
        self.records = records
        self._classes = classes
        self._room = cache_bytes
        self._free = cache_bytes
        self._size = 0
        self._cache: dict[int, tuple[Pixels, Pixels]] = {}

    def source(self, index: int) -> tuple[Image.Image, Pixels]:
        """Image and label [h, w] as they are on disk; raises `data-unusable` naming the file."""
        record = self.records[index]
        image, label = load_image(record), load_label(record, self._classes)
        check_sizes(record, image.size, label)
        return image, label

    def content(self, index: int, size: int) -> tuple[Pixels, Pixels]:
        """Image [h, w, 3] and label [h, w] with the longest side `size`."""
        if size != self._size:
            self._cache, self._free, self._size = {}, self._room, size
        found = self._cache.get(index)
        if found is not None:
            return found
        image, label = self.source(index)
        pair = (resize_image(image, size), resize_label(label, size))
        used = pair[0].nbytes + pair[1].nbytes
        # A lost race between threads costs at most one slot of bookkeeping, never a wrong image.
        if used <= self._free:
            self._free -= used
            self._cache[index] = pair
        return pair


def label_counts(
    records: list[Record], classes: int, cache_path: Path, digest: str, workers: int, stop: StopFlag
) -> NDArray[np.int64]:
    """[n, classes] labelled pixels of each image; kept in `cache_path`, so that a resumed run need not read all labels.

    Raises `data-unusable` naming every image that cannot be used.
    """
    key = hashlib.sha256(json.dumps([digest, classes, [one.image_id for one in records]]).encode()).hexdigest()
    try:
        with np.load(cache_path, allow_pickle=False) as stored:
            if str(stored["key"]) == key and stored["counts"].shape == (len(records), classes):
                return stored["counts"]
    except Exception:  # absent or torn: counted again
        pass

    def count(record: Record) -> NDArray[np.int64] | TrainerError:
        stop.check()
        try:
            label = load_label(record, classes)
            # Reading the header is cheap, and shows a wrong image now instead of hours into the run.
            check_sizes(record, image_size(record), label)
        except TrainerError as error:
            if not error.images:
                raise
            return error
        return np.bincount(label.ravel(), minlength=256)[:classes].astype(np.int64)

    with ThreadPoolExecutor(max(1, workers)) as pool:
        counted = list(pool.map(count, records))
    bad = [one for one in counted if isinstance(one, TrainerError)]
    if bad:
        more = f"; in all, {len(bad)} images cannot be used" if len(bad) > 1 else ""
        images = tuple(image for one in bad for image in one.images)
        raise TrainerError("data-unusable", f"{bad[0].message}{more}", bad[0].hint, images)
    counts = np.stack([one for one in counted if not isinstance(one, TrainerError)])
    temporary = cache_path.with_name(f"{cache_path.stem}.{os.getpid()}.tmp.npz")
    with room_for(temporary, counts.nbytes, cache_path.name):
        np.savez(temporary, key=np.array(key), counts=counts)
    os.replace(temporary, cache_path)
    return counts


@dataclass(frozen=True)
class Batch:
    """One step's input: image [N, S, S, 3] and label [N, S, S], both uint8."""

    iteration: int
    image: torch.Tensor
    label: torch.Tensor


class Loader:
    """Batches of augmented samples from `first` up to `last` (exclusive), prepared ahead in threads.

    Sample number g = iteration * batch size + position decides everything about a sample. So the number of threads or
    processes, and the iteration at which a run resumes, do not change the samples of a step.
    """

    def __init__(
        self,
        job: Job,
        images: ImageSet,
        sampler: Sampler,
        size_at: Callable[[int], int],
        positions: range | None = None,
    ) -> None:
        """positions: those of each batch that are wanted here; all of them if omitted."""
        self._job = job
        self._images = images
        self._sampler = sampler
        self._size_at = size_at
        self._positions = range(job.settings.batchSize) if positions is None else positions
        self._swap = flip_table(job.mirrorPairs)

    def sample(self, number: int, size: int) -> tuple[Pixels, Pixels]:
        """Augmented image [S, S, 3] and label [S, S] of one sample number."""
        image, label = self._images.content(self._sampler.index(number), size)
        random = stream(self._job.seed, number, AUGMENT)
        return augment(image, label, size, self._job.settings.augment, self._swap, random)

    def batches(self, first: int, last: int) -> Iterator[Batch]:
        threads = max(1, self._job.internal.loaderWorkers)
        ahead = max(2, self._job.internal.loaderWorkers)
        pool = ThreadPoolExecutor(threads, thread_name_prefix="loader")
        waiting: deque[tuple[int, list[Future[tuple[Pixels, Pixels]]]]] = deque()
        try:
            following = first
            while following < last or waiting:
                # Batches of different sizes never share the queue: the cache holds one size at a time.
                while (
                    following < last
                    and len(waiting) <= ahead
                    and (not waiting or self._size_at(waiting[0][0]) == self._size_at(following))
                ):
                    waiting.append((following, self._submit(pool, following)))
                    following += 1
                iteration, futures = waiting.popleft()
                yield _stack(iteration, [one.result() for one in futures])
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, pool: ThreadPoolExecutor, iteration: int) -> list[Future[tuple[Pixels, Pixels]]]:
        count = self._job.settings.batchSize
        size = self._size_at(iteration)
        return [pool.submit(self.sample, iteration * count + position, size) for position in self._positions]


def _stack(iteration: int, samples: list[tuple[Pixels, Pixels]]) -> Batch:
    image = torch.from_numpy(np.stack([one for one, _ in samples]))
    return Batch(iteration, image, torch.from_numpy(np.stack([label for _, label in samples])))
