"""Pictures are read in one form; any other is refused by name, never silently converted."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from partloop_trainer.data.dataset import Record, image_size, load_image
from partloop_trainer.process.protocol import TrainerError

PIXELS = np.random.default_rng(3).integers(0, 256, (12, 20, 3), np.uint8)
RGB = Image.fromarray(PIXELS)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[274] = orientation
    return exif


def save(image: Image.Image, **options: Any) -> Callable[[str], None]:
    return lambda path: image.save(path, **options)


REFUSED: list[tuple[str, Callable[[str], None], str]] = [
    ("alpha.png", save(RGB.convert("RGBA")), "mode RGBA"),
    ("grey-alpha.png", save(RGB.convert("LA")), "mode LA"),
    ("palette.png", save(RGB.quantize(8)), "mode P"),
    ("bits.png", save(RGB.convert("1")), "mode 1"),
    ("deep.png", save(Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 257)), "mode I;16"),
    ("cmyk.jpg", save(RGB.convert("CMYK")), "mode CMYK"),
    ("profile.jpg", save(RGB, icc_profile=LAB), "a colour profile that is not sRGB"),
    ("broken-profile.png", save(RGB, icc_profile=b"no profile"), "a colour profile that is not sRGB"),
    ("turned.jpg", save(RGB, exif=turned(6)), "not upright"),
    ("turned.png", save(RGB, exif=turned(3)), "not upright"),
    ("key.png", save(RGB, transparency=(1, 2, 3)), "a transparent colour"),
    ("moving.png", save(RGB, save_all=True, append_images=[Image.new("RGB", RGB.size)]), "animated"),
    ("picture.webp", save(RGB, lossless=True), "is WEBP, not JPEG or PNG"),
    ("picture.bmp", save(RGB), "is BMP, not JPEG or PNG"),
]


@pytest.mark.parametrize(("name", "write", "reason"), REFUSED, ids=[one[0] for one in REFUSED])
def test_a_picture_in_another_form_is_refused_by_name(
    tmp_path: Path, name: str, write: Callable[[str], None], reason: str
) -> None:
    path = str(tmp_path / name)
    write(path)
    for read in (load_image, image_size):
        with pytest.raises(TrainerError) as caught:
            read(Record("one", path, "", ()))
        assert caught.value.code == "data-unusable"
        assert path in caught.value.message and reason in caught.value.message
        assert "import it into a pool" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.png", {}), ("a.jpg", {"quality": 95}), ("a.jpg", {"icc_profile": SRGB}), ("a.jpg", {"exif": turned(1)})],
)
def test_plain_pictures_are_read_unchanged(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    path = tmp_path / name
    RGB.save(path, **options)
    expected = np.asarray(Image.open(io.BytesIO(path.read_bytes())))
    image = load_image(Record("one", str(path), "", ()))
    assert image.mode == "RGB" and (np.asarray(image) == expected).all()
    assert image_size(Record("one", str(path), "", ())) == (20, 12)


def test_grey_becomes_three_equal_bands(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    RGB.convert("L").save(path)
    pixels = np.asarray(load_image(Record("one", str(path), "", ())))
    assert (pixels == np.asarray(RGB.convert("L"))[..., None]).all()


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    path = tmp_path / "text.jpg"
    path.write_text("no picture")
    with pytest.raises(TrainerError, match="cannot be read"):
        load_image(Record("one", str(path), "", ()))
