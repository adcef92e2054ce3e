"""The one form in which pictures are read: 8 bits of sRGB or grey, opaque, upright.

The scan's decoder (`storage/pictures/picture.ts`) resolves everything else once: profiles, transparency, 16 bits, CMYK,
EXIF orientation. If this package converted too, the network would see other pixels than the scan.
"""

from __future__ import annotations

import io

from PIL import Image, ImageCms

FORMATS = ("JPEG", "MPO", "PNG")
ORIENTATION = 274
HINT = "convert it to an 8-bit sRGB JPEG or PNG, upright and opaque, or import it into a pool, which does that"


def deviation(image: Image.Image) -> str | None:
    """How an opened picture departs from the normal form, in words that follow "it"; None if it does not."""
    if image.format not in FORMATS:
        return f"is {image.format}, not JPEG or PNG"
    if image.mode not in ("RGB", "L"):
        return f"has mode {image.mode}, not 8 bits of RGB or grey"
    if "transparency" in image.info:
        return "has a transparent colour"
    if image.format == "PNG" and getattr(image, "is_animated", False):
        return "is animated"
    profile = image.info.get("icc_profile")
    if profile and not is_srgb(profile):
        return "has a colour profile that is not sRGB"
    # Only if there is one: parsing it takes longer than opening the file.
    if "exif" in image.info and image.getexif().get(ORIENTATION, 1) != 1:
        return "is not upright: it has an EXIF orientation"
    return None


def is_srgb(profile: bytes) -> bool:
    """Whether an ICC profile calls itself sRGB."""
    try:
        return "sRGB" in ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    except (OSError, ImageCms.PyCMSError):
        return False
