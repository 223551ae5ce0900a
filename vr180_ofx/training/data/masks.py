"""People in pictures as masks, which say where they are and nothing of edges: COCO's annotations and Supervisely's.

"matte" of their samples is 0, so that losses of edges and colours leave them out. "known" is 0 where nobody looked (COCO's crowds).
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vr180_ofx.arrays import Array, ByteArray
from vr180_ofx.errors import MediaError, SettingsError
from vr180_ofx.imaging.encode import decoded_png
from vr180_ofx.training.contract import Sample, Shape
from vr180_ofx.training.data.reading import above, grey, image, images_in, rgb, smaller
from vr180_ofx.training.data.windows import Layers, WindowOptions, WindowSource, options_of


class MaskOptions(WindowOptions):
    """annotations: COCO's file. least: pictures in which people are less than this part of the area are left out."""

    annotations: str | None = None
    least: float = 0.0


@dataclass(slots=True)
class MaskItem:
    """A picture with objects. See `windows.Item`."""

    name: str
    picture: Path
    objects: list[dict[str, Any]] = field(default_factory=list)
    mask: Path | None = None
    count: int = 1
    soft: bool = False

    def read(self, numbers: Sequence[int], least: int) -> Layers:
        whole = rgb(image(self.picture))
        mask = (
            above(grey(image(self.mask)), 0).astype(np.uint8) * np.uint8(255)
            if self.mask is not None
            else self.drawn(whole.shape[0], whole.shape[1])
        )
        if mask.shape != whole.shape[:2]:
            raise MediaError(f"{self.name}: its mask is {mask.shape[1]}x{mask.shape[0]} and the picture {whole.shape[1]}x{whole.shape[0]}")
        return Layers([smaller(whole, least)] * len(numbers), [smaller(mask, least)] * len(numbers))

    def drawn(self, height: int, width: int) -> ByteArray:
        """(height, width), 255 where somebody is."""
        out = np.zeros((height, width), np.uint8)
        for thing in self.objects:
            part = _supervisely_object(thing, height, width) if "geometryType" in thing else _coco_object(thing, height, width, self.name)
            np.maximum(out, part, out=out)
        return out


class MaskSource(WindowSource):
    """See `windows.WindowSource`."""

    def sample(self, index: int, random: np.random.Generator) -> Sample:
        found = super().sample(index, random)
        # a mask is there or not; area's averages would look like an alpha
        found["alpha"] = np.where(above(found["alpha"], 127), np.uint8(255), np.uint8(0))
        return found


def coco(path: Path, options: Mapping[str, Any], shape: Shape) -> MaskSource:
    """See `contract.SourceMaker`. path: COCO's pictures; annotations: instances_*.json."""
    how: MaskOptions = options_of(MaskOptions, options, "coco")
    if not how.annotations:
        raise SettingsError("data (coco): annotations is missing; name COCO's file, such as annotations/instances_train2017.json")
    return MaskSource(coco_items(path, Path(how.annotations), how.least), how, shape, str(path))


def coco_items(folder: Path, annotations: Path, least: float = 0.0) -> list[MaskItem]:
    """Pictures with people, without those in which a crowd was not counted out. Raises MediaError."""
    try:
        data = json.loads(annotations.read_bytes())
        people = {c["id"] for c in data["categories"] if c["name"] == "person"}
        pictures = {p["id"]: p for p in data["images"]}
        found: dict[int, list[dict[str, Any]]] = {}
        for row in data["annotations"]:
            if row["category_id"] in people:
                found.setdefault(row["image_id"], []).append(row)
    except OSError as error:
        raise MediaError(f"{annotations} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise MediaError(f"{annotations} is not as COCO's annotations are ({type(error).__name__}: {error})") from None
    items = []
    for number, rows in sorted(found.items()):
        facts = pictures.get(number)
        if facts is None:
            raise MediaError(f"{annotations} has people in the picture {number}, which is not among its images")
        area = sum(float(r.get("area", 0)) for r in rows) / max(1, facts["width"] * facts["height"])
        if area >= least and not any(r.get("iscrowd") for r in rows):
            items.append(MaskItem(str(facts["file_name"]), folder / str(facts["file_name"]), rows))
    if not items:
        raise MediaError(f"{annotations} has no picture with people in it")
    return items


def _coco_object(row: Mapping[str, Any], height: int, width: int, name: str) -> ByteArray:
    """Polygons, or run lengths as they are or compressed: as COCO's own code reads them."""
    from pycocotools import mask as of_coco

    shape = row.get("segmentation")
    try:
        if isinstance(shape, list):
            polygons = [p for p in shape if len(p) >= 6]
            if not polygons:
                return np.zeros((height, width), np.uint8)
            code = of_coco.merge(of_coco.frPyObjects(polygons, height, width))
        elif isinstance(shape, dict):
            if list(shape["size"]) != [height, width]:
                raise MediaError(f"{name}: a mask is {shape['size'][1]}x{shape['size'][0]}, and the picture {width}x{height}")
            code = of_coco.frPyObjects(shape, height, width) if isinstance(shape["counts"], list) else shape
        else:
            raise MediaError(f"{name}: segmentation holds {type(shape).__name__}; polygons or run lengths are read")
        made: ByteArray = np.asarray(of_coco.decode(code), np.uint8) * np.uint8(255)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise MediaError(f"{name}: a mask cannot be read ({error})") from None
    return made


def supervisely(path: Path, options: Mapping[str, Any], shape: Shape) -> MaskSource:
    """See `contract.SourceMaker`. path: with img, and with ann (Supervisely's JSON) or seg (masks as pictures)."""
    how = options_of(MaskOptions, options, "supervisely")
    return MaskSource(supervisely_items(path), how, shape, str(path))


def supervisely_items(path: Path) -> list[MaskItem]:
    """Raises MediaError."""
    pictures = path / "img"
    if not pictures.is_dir() or not ((path / "ann").is_dir() or (path / "seg").is_dir()):
        raise MediaError(f"{path} has no folders img and ann (or seg), as Supervisely's data sets have")
    masks = {f.stem: f for f in images_in(path / "seg")} if (path / "seg").is_dir() else {}
    items = []
    for picture in images_in(pictures):
        if picture.stem in masks:
            items.append(MaskItem(picture.name, picture, mask=masks[picture.stem]))
            continue
        place = next((f for f in (path / "ann" / f"{picture.name}.json", path / "ann" / f"{picture.stem}.json") if f.is_file()), None)
        if place is None:
            continue
        try:
            objects = [o for o in json.loads(place.read_bytes())["objects"] if o["geometryType"] in ("bitmap", "polygon")]
        except (ValueError, KeyError, TypeError) as error:
            raise MediaError(f"{place} is not as Supervisely's annotations are ({type(error).__name__}: {error})") from None
        if objects:
            items.append(MaskItem(picture.name, picture, objects))
    if not items:
        raise MediaError(f"{path} has no picture with a mask")
    return items


def _supervisely_object(row: Mapping[str, Any], height: int, width: int) -> ByteArray:
    """A bitmap (zlib, PNG, where its upper left corner is), or a polygon with holes."""
    out = np.zeros((height, width), np.uint8)
    if row["geometryType"] == "bitmap":
        x, y = (int(v) for v in row["bitmap"]["origin"])
        bits = above(grey(decoded_png(zlib.decompress(base64.b64decode(row["bitmap"]["data"])))), 0)
        h, w = min(bits.shape[0], height - y), min(bits.shape[1], width - x)
        if x < 0 or y < 0 or h <= 0 or w <= 0:
            raise MediaError(f"a bitmap of an annotation begins at {x}, {y}, outside the picture of {width}x{height}")
        out[y : y + h, x : x + w] = np.where(bits[:h, :w], 255, 0)
        return out
    from pycocotools import mask as of_coco

    def filled(points: Sequence[Sequence[float]]) -> Array:
        if len(points) < 3:
            return np.zeros((height, width), np.uint8)
        flat = [float(v) for point in points for v in point]
        return np.asarray(of_coco.decode(of_coco.frPyObjects([flat], height, width))[..., 0])

    inside = above(filled(row["points"]["exterior"]), 0)
    for hole in row["points"].get("interior", ()):
        inside &= ~above(filled(hole), 0)
    out[inside] = 255
    return out
