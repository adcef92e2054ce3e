"""What `datasets` and `mlcroissant` read of an exported folder, as JSON: `read_hf.py FOLDER CACHE`."""

import hashlib
import io
import json
import sys

import mlcroissant
from datasets import ClassLabel, Image, load_dataset
from PIL import Image as Pillow


def digest(image) -> str:
    return hashlib.sha256(image.tobytes()).hexdigest()


def main() -> None:
    folder, cache = sys.argv[1:]
    loaded = load_dataset(folder, cache_dir=cache)
    features = next(iter(loaded.values())).features
    rows = {}
    for split, images in loaded.items():
        raw = images.cast_column("image", Image(decode=False)).cast_column("label", Image(decode=False))
        for row, stored in zip(images, raw, strict=True):
            # Pillow alone, without the turning that `datasets` does.
            plain = Pillow.open(io.BytesIO(stored["image"]["bytes"]))
            rows[row["image_id"]] = {
                "split": split,
                "size": row["image"].size,
                "plainSize": plain.size,
                "picture": hashlib.sha256(stored["image"]["bytes"]).hexdigest(),
                "path": stored["image"]["path"],
                "corner": list(plain.convert("RGB").getpixel((0, 0))),
                "mode": row["label"].mode,
                "labelSize": row["label"].size,
                "label": digest(row["label"]),
                "classes": [features["classes"].feature.int2str(value) for value in row["classes"]],
                **{name: row[name] for name in ("vehicle_id", "angle", "black", "file_name", "source")},
            }
    metadata = mlcroissant.Dataset(jsonld=f"{folder}/croissant.json")
    records = {
        record["images/image_id"].decode(): {
            "split": record["images/split"].decode(),
            "label": digest(record["images/label"]),
            "size": record["images/image"].size,
        }
        for record in metadata.records(record_set="images")
    }
    answer = {
        "features": {name: type(feature).__name__ for name, feature in features.items()},
        "isClassLabel": isinstance(features["classes"].feature, ClassLabel),
        "rows": rows,
        "records": records,
        "errors": list(metadata.metadata.ctx.issues.errors),
        "warnings": list(metadata.metadata.ctx.issues.warnings),
    }
    print("\n" + json.dumps(answer))


main()
