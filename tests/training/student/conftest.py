"""Stills as `bench stills` leaves them, of people who are ellipses: nine, so that one is held out."""

import json

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")

SIZE = 96


def still(person):
    """(picture, alpha, foreground) of somebody: an upright ellipse of one colour on stripes."""
    random = np.random.default_rng(person)
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    middle, radii = random.uniform(40, 56, 2), random.uniform((10, 24), (18, 34))
    distance = np.hypot((x - middle[0]) / radii[0], (y - middle[1]) / radii[1])
    alpha = np.clip((1 - distance) * radii[0] / 2 + 0.5, 0, 1)[..., None]
    colour, ground = random.uniform(0, 255, (2, 3))
    front = np.broadcast_to(colour, (SIZE, SIZE, 3))
    back = ground * (0.6 + 0.4 * np.sin(x / 5))[..., None]
    return front * alpha + back * (1 - alpha), alpha[..., 0], front * (alpha > 0)


@pytest.fixture(scope="session")
def stills(tmp_path_factory):
    """The folder of stills, one picture of each, and beside it a folder `places` with a picture of nobody."""
    top = tmp_path_factory.mktemp("people")
    folder = top / "stills"
    for name in ("picture", "alpha", "foreground"):
        (folder / name).mkdir(parents=True)
    lines = []
    for person in range(9):
        picture, alpha, front = still(person)
        cv2.imwrite(str(folder / "picture" / f"{person:06d}.png"), picture[..., ::-1].round().astype(np.uint8))
        cv2.imwrite(str(folder / "foreground" / f"{person:06d}.png"), front[..., ::-1].round().astype(np.uint8))
        cv2.imwrite(str(folder / "alpha" / f"{person:06d}.png"), (alpha * 65535).round().astype(np.uint16))
        lines.append(json.dumps({"pictures": [f"{person:06d}"]}))
    (folder / "people.jsonl").write_text("\n".join(lines) + "\n")
    (top / "places").mkdir()
    noise = np.random.default_rng(9).integers(0, 255, (12, 14, 3)).astype(np.uint8)
    cv2.imwrite(str(top / "places" / "place.png"), cv2.resize(noise, (140, 120), interpolation=cv2.INTER_CUBIC))
    return folder


@pytest.fixture(scope="session")
def people(stills):
    """The same in memory; the truth, a little smaller, stands for a tracker's masks."""
    from vr180_ofx.training.student.pack import packed, places_in, stills_in

    rows = [(s, cv2.erode(s.alpha, np.ones((3, 3)))) for s in stills_in(stills)]
    return packed(rows, places_in([stills.parent / "places"], SIZE))
