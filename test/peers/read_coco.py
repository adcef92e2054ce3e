"""What `pycocotools` reads of an annotation file, as JSON: `read_coco.py FILE`: label values by image id, painted."""

import hashlib
import json
import sys

import numpy as np
from pycocotools.coco import COCO


def main() -> None:
    coco = COCO(sys.argv[1])
    labels = {}
    for image in coco.imgs.values():
        raster = np.zeros((image["height"], image["width"]), np.uint8)
        for annotation in coco.imgToAnns[image["id"]]:
            mask = coco.annToMask(annotation)
            assert int(mask.sum()) == annotation["area"]
            raster[mask == 1] = annotation["category_id"]
        labels[image["partloop_image_id"]] = hashlib.sha256(raster.tobytes()).hexdigest()
    print("\n" + json.dumps({"labels": labels, "categories": [c["name"] for c in coco.cats.values()]}))


main()
