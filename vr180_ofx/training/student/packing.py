"""A pack as one file: what `bench stills` made, with the embedded tracker's masks, small enough to travel to a machine without a network.

Pictures are JPEG, alphas and masks PNG, one after the other in a file of safetensors. Whoever reads it gets `pack.Pack`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from vr180_ofx.errors import MediaError
from vr180_ofx.imaging.encode import decoded_png, jpeg, png
from vr180_ofx.imaging.filter import gaussian_blur
from vr180_ofx.imaging.logistic import sigmoid
from vr180_ofx.imaging.resize import resize
from vr180_ofx.imaging.warp import inverse_affine, warp_affine
from vr180_ofx.media.contract import Sample
from vr180_ofx.storage import write_atomic
from vr180_ofx.trackers.contract import Tracker, WindowImage
from vr180_ofx.training.student.pack import Pack, Still, packed, places_in, stills_in
from vr180_ofx.vr180.body import WINDOW_REACHES
from vr180_ofx.vr180.window import Window

FORMAT = "vr180-ofx people 1"
#: Of JPEG: what is cut out is pasted with its edges, and a plate is noisy already.
_CUT_OUT, _PLATE = 93, 85
#: Masks of the tracker are made of 256 pixels: half of a picture's size holds all of them.
_MASK_SHARE = 2
Say = Callable[[int, int], None]


def _say_nothing(done: int, of: int) -> None:
    """For those who only wait."""


def write_pack(
    stills: Path, places: Iterable[Path], path: Path, *, most_bytes: int = 0, tracker: Tracker | None = None, say: Say = _say_nothing
) -> int:
    """Packs what is in a folder of stills. places: pictures and videos of nobody, or folders of them. most_bytes: 0 for all; else only so
    many people, evenly from all of them, as fit. tracker: the embedded one by default; say: (done, of how many) pictures.

    Returns how many pictures are in it. Raises MediaError, OutputError.
    """
    tracker = tracker or embedded_tracker()
    found = list(stills_in(stills))
    blobs: dict[str, list[bytes]] = {name: [] for name in ("picture", "foreground", "alpha", "mask", "place")}
    people: list[int] = []
    if found:
        blobs["place"] = [jpeg(place, _PLATE) for place in places_in(places, found[0].alpha.shape[0])]
    used = sum(map(len, blobs["place"]))
    # people in an order in which any beginning is spread evenly over all
    order = sorted(found, key=lambda s: (_scattered(s.person), s.name))
    for n, still in enumerate(order):
        mask = tracked(tracker, still)
        half = tuple(side // _MASK_SHARE for side in mask.shape[::-1])
        new = {
            "picture": jpeg(still.picture, _PLATE), "foreground": jpeg(still.foreground, _CUT_OUT), "alpha": png(still.alpha, 9),
            "mask": png(resize(mask, (half[0], half[1]), "area"), 9),
        }  # fmt: skip
        used += sum(map(len, new.values()))
        if most_bytes and used > most_bytes:
            break
        people.append(still.person)
        for name, data in new.items():
            blobs[name].append(data)
        say(n + 1, len(order))
    if not people:
        raise MediaError(f"{stills} has no picture with somebody in it, or none that fits into {most_bytes} bytes beside the places")
    arrays: dict[str, Any] = {"people": np.array(people, np.int64)}
    for name, parts in blobs.items():
        arrays[f"{name}.ends"] = np.cumsum([len(p) for p in parts], dtype=np.int64) if parts else np.zeros(0, np.int64)
        arrays[name] = np.frombuffer(b"".join(parts), np.uint8)
    write_atomic(path, save(arrays, {"format": FORMAT, "pictures": json.dumps(len(people))}))
    return len(people)


def read_pack(path: Path) -> Pack:
    """Raises MediaError."""
    if not path.is_file():
        raise MediaError(f"{path} does not exist; 'vr180-ofx train pack' makes it from what 'python -m bench stills' rendered")
    try:
        with safe_open(path, "numpy") as file:
            if (file.metadata() or {}).get("format") != FORMAT:
                raise MediaError(f"{path} is no pack of people: its format is {(file.metadata() or {}).get('format')!r}, not {FORMAT!r}")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError) as error:
        raise MediaError(f"{path} cannot be read as a pack of people: {str(error).splitlines()[0]}") from None
    columns = [list(_parts(arrays, name)) for name in ("picture", "foreground", "alpha", "mask")]
    rows = []
    for n, (picture, foreground, alpha, mask) in enumerate(zip(*columns, strict=True)):
        whole = resize(mask, (alpha.shape[1], alpha.shape[0]), "linear")
        rows.append((Still(str(n), int(arrays["people"][n]), picture, foreground, alpha), whole))
    return packed(rows, list(_parts(arrays, "place")))


def _parts(arrays: dict[str, Any], name: str) -> Iterator[Any]:
    begin = 0
    for end in arrays[f"{name}.ends"]:
        yield decoded_png(arrays[name][begin : int(end)].tobytes())
        begin = int(end)


def _scattered(number: int) -> int:
    """Its bits in reverse: numbers in this order are spread evenly wherever one stops (van der Corput)."""
    return int(f"{number:032b}"[::-1], 2)


def embedded_tracker() -> Tracker:
    """Raises WeightsError."""
    # whoever reads a pack runs no tracker
    from vr180_ofx.engine.models import Models
    from vr180_ofx.settings import Settings

    return Models.of(Settings()).for_drafts().load_tracker()


def tracked(tracker: Tracker, still: Still) -> Any:
    """What the tracker says of the person, (h, w) bytes: in a window about as the program would make one, a little beside and too large."""
    ys, xs = np.where(still.alpha > 76)
    random = np.random.default_rng([still.person, ys.size, int(xs.sum())])
    size = tracker.window_size
    longest = max(int(np.ptp(xs)), int(np.ptp(ys))) + 1
    # a body's reach is about half of its height; the plan's windows are measured from the hips
    reach = size / 2 / WINDOW_REACHES
    scale = 2 * reach / (longest * random.uniform(0.95, 1.25))
    x, y = ((v.min() + v.max() + 1) / 2 + random.normal(0, 0.04) * longest for v in (xs, ys))
    # from the window's pixel indices to the picture's, and back
    matrix = np.array([[1 / scale, 0, x - size / 2 / scale + 0.5 / scale - 0.5], [0, 1 / scale, y - size / 2 / scale + 0.5 / scale - 0.5]])
    picture = still.picture.astype(np.float32) / 255
    if scale < 0.8:
        picture = gaussian_blur(picture, 0.35 / scale)
    shown = np.clip(warp_affine(picture, matrix, (size, size), border="edge"), 0, 1)
    image = WindowImage(Sample(shown, shown), Window((0.0, 0.0, 1.0), 60.0, 0.0, size))
    logits = tracker.step(tracker.begin(), {(1, "left"): image})[1][1, "left"].logits
    back = warp_affine(sigmoid(logits), inverse_affine(matrix), (still.alpha.shape[1], still.alpha.shape[0]))
    return np.rint(np.clip(back, 0, 1) * 255).astype(np.uint8)


def read_people(path: Path, places: Sequence[Path] = ()) -> Pack:
    """A pack, or a folder of stills without masks of a tracker. Raises MediaError."""
    if not path.is_dir():
        return read_pack(path)
    found = list(stills_in(path))
    return packed(((still, None) for still in found), places_in(places, found[0].alpha.shape[0]) if found else [])
