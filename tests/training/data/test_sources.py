"""Each layout of a data set is read as what it is, and what is wrong with one is said."""

import base64
import itertools
import json
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from tests.training.data.files import person, scene, video, write
from vr180_ofx.errors import MediaError, SettingsError
from vr180_ofx.imaging.encode import png
from vr180_ofx.training.contract import Shape
from vr180_ofx.training.data.reading import Video
from vr180_ofx.training.data.windows import frame_numbers
from vr180_ofx.training.loader import floats, stacked
from vr180_ofx.training.registry import source_maker

#: Nothing by chance: the whole picture as it is.
PLAIN = {"scale": [1.0, 1.0], "flip": False}
ALPHA, FOREGROUND, PICTURE = person()
WHOLE = Shape(1, 48, 64)


def source(kind, path, shape=WHOLE, **options):
    return source_maker(kind)(Path(path), {**PLAIN, **options}, shape)


def one(of, index=0, seed=1):
    return of.sample(index, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("picture", "alpha", "foreground", "name"),
    [
        ("picture", "alpha", "foreground", "000001"),
        ("original", "mask", None, "a b"),
        ("blurred_image", "mask", None, "p_1"),
        ("image", "alpha", None, "1"),
        ("img", "mask", "fg", "o_7"),
        ("merged", "pha", "fgr", "x"),
    ],
)
def test_folders_of_pictures(tmp_path, picture, alpha, foreground, name):
    """AIM, P3M, PPM, RefMatte, Distinctions, and the benchmark's stills."""
    write(tmp_path / picture / f"{name}.png", PICTURE)
    write(tmp_path / alpha / f"{name}_alpha.png", ALPHA)
    if foreground:
        write(tmp_path / foreground / f"{name}.png", FOREGROUND)
    found = source("images", tmp_path)
    sample = one(found)
    assert len(found) == 1 and np.array_equal(sample["source"][0], PICTURE) and np.array_equal(sample["alpha"][0], ALPHA)
    assert ("foreground" in sample) == bool(foreground) and float(sample["matte"]) == 1


def test_alphas_of_16_bits_and_in_the_fourth_channel(tmp_path):
    wide = ALPHA.astype(np.uint16) * 257
    write(tmp_path / "picture" / "a.png", PICTURE)
    write(tmp_path / "alpha" / "a.png", wide)
    batch = floats(stacked([one(source("stills", tmp_path))], "x"), torch.device("cpu"))
    assert batch["alpha"].shape == (1, 1, 1, 48, 64) and batch["source"].shape == (1, 1, 3, 48, 64)
    assert torch.equal(batch["alpha"][0, 0, 0], torch.from_numpy(wide.astype(np.float32)) / 65535)
    assert batch["alpha"].max() == 1 and batch["matte"].tolist() == [1.0]
    write(tmp_path / "alpha" / "a.png", np.dstack([PICTURE, ALPHA])[..., [2, 1, 0, 3]][..., :3])
    assert cv2.imwrite(str(tmp_path / "alpha" / "a.png"), np.dstack([PICTURE[..., ::-1], ALPHA]))
    assert np.array_equal(one(source("stills", tmp_path))["alpha"][0], ALPHA)


def test_videomatte(tmp_path):
    for n in range(5):
        write(tmp_path / "fgr" / "0001" / f"{n:05d}.png", np.roll(FOREGROUND, n))
        write(tmp_path / "pha" / "0001" / f"{n:05d}.png", np.roll(ALPHA, n, 1))
    green = np.full((48, 64, 3), (0, 255, 0), np.uint8)
    write(tmp_path / "behind" / "g.png", green)
    found = source("videomatte", tmp_path, Shape(2, 48, 64), backgrounds=str(tmp_path / "behind"))
    sample = one(found)
    assert len(found) == 2 and sample["source"].shape == (2, 48, 64, 3)
    inside, outside = sample["alpha"] == 255, sample["alpha"] == 0
    assert np.array_equal(sample["source"][inside], sample["foreground"][inside])
    assert (sample["source"][outside] == (0, 255, 0)).all() and (sample["background"] == (0, 255, 0)).all()
    # the two frames follow each other
    shifts = [int(np.argmax(a.sum(0) > 0)) for a in sample["alpha"]]
    assert abs(shifts[1] - shifts[0]) == 1
    with pytest.raises(SettingsError, match="name backgrounds"):
        source("videomatte", tmp_path)
    empty = one(source("videomatte", tmp_path, Shape(2, 48, 64), backgrounds=str(tmp_path / "behind"), empty=1.0))
    assert not empty["alpha"].any() and (empty["source"] == (0, 255, 0)).all()


def test_videomatte_as_videos(tmp_path):
    alphas = [np.roll(ALPHA, n, 1).astype(np.uint16) * 257 for n in range(4)]
    video(tmp_path / "fgr" / "c.mkv", [FOREGROUND] * 4, "libx264rgb", "rgb24")
    video(tmp_path / "pha" / "c.mkv", alphas)
    write(tmp_path / "behind" / "g.png", PICTURE)
    sample = one(source("videomatte", tmp_path, Shape(4, 48, 64), backgrounds=str(tmp_path / "behind")))
    assert {a.tobytes() for a in sample["alpha"]} == {a.tobytes() for a in alphas}
    video(tmp_path / "pha" / "c.mkv", alphas[:3])
    with pytest.raises(MediaError, match="has 4 frames and .* 3"):
        source("videomatte", tmp_path, backgrounds=str(tmp_path / "behind"))


def test_frames_of_a_video_are_the_ones_asked_for(tmp_path):
    frames = [np.full((16, 16, 3), 20 * n, np.uint8) for n in range(12)]
    video(tmp_path / "v.mp4", frames, "libx264", "yuv420p")
    found = Video(tmp_path / "v.mp4")
    assert len(found) == 12
    for numbers in ([7], [3, 4, 5], [9, 8, 7], [0, 11]):
        seen = [int(f.mean()) for f in found.frames(numbers)]
        assert seen == pytest.approx([20 * n for n in numbers], abs=3)


def independent_rle(mask):
    """COCO's run lengths, column by column, beginning with zeros."""
    flat = mask.T.reshape(-1)
    changes = np.flatnonzero(np.diff(np.concatenate([[0], flat, [2]])))
    return [int(v) for v in np.diff(np.concatenate([[0], changes]))]


def test_coco(tmp_path):
    mask = (ALPHA > 200).astype(np.uint8)
    write(tmp_path / "img" / "a.jpg", PICTURE)
    write(tmp_path / "img" / "b.jpg", PICTURE)
    square = [2, 2, 12, 2, 12, 10, 2, 10]
    rows: list[dict[str, Any]] = [
        {"image_id": 1, "category_id": 1, "segmentation": {"size": [48, 64], "counts": independent_rle(mask)}, "area": 9},
        {"image_id": 2, "category_id": 1, "segmentation": [square, [1, 1]], "area": 80},
        {"image_id": 2, "category_id": 7, "segmentation": [[0, 0, 60, 0, 60, 40, 0, 40]], "area": 9},
        {"image_id": 3, "category_id": 1, "iscrowd": 1, "segmentation": {"size": [48, 64], "counts": [3072]}, "area": 9},
    ]
    images = [{"id": n, "file_name": f"{c}.jpg", "width": 64, "height": 48} for n, c in ((1, "a"), (2, "b"), (3, "c"))]
    file = tmp_path / "instances.json"
    file.write_text(
        json.dumps({"images": images, "annotations": rows, "categories": [{"id": 1, "name": "person"}, {"id": 7, "name": "dog"}]})
    )
    found = source("coco", tmp_path / "img", annotations=str(file))
    first, second = one(found, 0), one(found, 1)
    assert len(found) == 2 and np.array_equal(first["alpha"][0], mask * 255) and float(first["matte"]) == 0
    assert int((second["alpha"] > 0).sum()) == 80 and (second["alpha"][0, 2:10, 2:12] == 255).all()
    with pytest.raises(SettingsError, match="annotations is missing"):
        source("coco", tmp_path / "img")
    for text, said in (
        ("{", "is not as COCO's"),
        ('{"images": []}', "is not as COCO's"),
        ('{"images": [], "annotations": [], "categories": []}', "no picture with"),
    ):
        file.write_text(text)
        with pytest.raises(MediaError, match=said):
            source("coco", tmp_path / "img", annotations=str(file))
    rows[0]["segmentation"]["size"] = [40, 64]
    file.write_text(json.dumps({"images": images, "annotations": rows[:1], "categories": [{"id": 1, "name": "person"}]}))
    with pytest.raises(MediaError, match="a mask is 64x40, and the picture 64x48"):
        one(source("coco", tmp_path / "img", annotations=str(file)))


def test_supervisely(tmp_path):
    write(tmp_path / "img" / "a.png", PICTURE)
    bits = np.full((6, 5), 255, np.uint8)
    data = base64.b64encode(zlib.compress(png(bits))).decode()
    objects = [
        {"geometryType": "bitmap", "bitmap": {"origin": [30, 8], "data": data}},
        {
            "geometryType": "polygon",
            "points": {"exterior": [[2, 2], [22, 2], [22, 22], [2, 22]], "interior": [[[6, 6], [16, 6], [16, 16], [6, 16]]]},
        },
        {"geometryType": "point", "points": {"exterior": [[1, 1]], "interior": []}},
    ]
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "a.png.json").write_text(json.dumps({"objects": objects}))
    alpha = one(source("supervisely", tmp_path))["alpha"][0]
    assert (alpha[8:14, 30:35] == 255).all() and int((alpha[:, 25:] > 0).sum()) == 30
    assert alpha[4, 4] == 255 and alpha[10, 10] == 0 and alpha[40, 40] == 0
    write(tmp_path / "seg" / "a.png", ALPHA)
    assert np.array_equal(one(source("supervisely", tmp_path))["alpha"][0], (ALPHA > 0) * np.uint8(255))
    (tmp_path / "seg" / "a.png").unlink()
    (tmp_path / "ann" / "a.png.json").write_text('{"objects": [{}]}')
    with pytest.raises(MediaError, match="is not as Supervisely's"):
        source("supervisely", tmp_path)


def test_scenes(tmp_path):
    scene(tmp_path / "scene00")
    scene(tmp_path / "scene01", people=0, frames=4)
    found = source("scenes", tmp_path, Shape(3, 32, 32))
    assert [i.name for i in found.items] == ["scene00 left", "scene00 right", "scene01 left", "scene01 right"]
    left, right = one(found, 0), one(found, 1)
    for sample, x in ((left, 6), (right, 4)):
        edges = sorted(int(np.argmax(a[16] > 0)) for a in sample["alpha"])
        assert edges == [x, x + 1, x + 2]
        inside = sample["alpha"] == 65535
        assert (sample["foreground"][inside] == 255).all() and abs(sample["source"][inside].mean() - 230) < 4
        assert not sample["foreground"][~inside].any()
    assert not one(found, 2)["alpha"].any()
    # what stands behind people elsewhere is what was seen when nobody was there
    write(tmp_path / "set" / "picture" / "a.png", PICTURE)
    write(tmp_path / "set" / "alpha" / "a.png", ALPHA)
    write(tmp_path / "set" / "foreground" / "a.png", FOREGROUND)
    behind = source("stills", tmp_path / "set", backgrounds=str(tmp_path))
    assert behind.backgrounds is not None and [v.parent.name for v in behind.backgrounds.videos] == ["scene01"]
    (tmp_path / "scene01" / "foreground.mkv").unlink()
    with pytest.raises(MediaError, match="some scenes have foreground.mkv"):
        source("scenes", tmp_path)


def test_what_is_not_there_is_said(tmp_path):
    for kind, said in (("stills", "no folder of alphas"), ("scenes", "holds no scenes"), ("supervisely", "no folders img and ann")):
        with pytest.raises(MediaError, match=said):
            source(kind, tmp_path)
        with pytest.raises(MediaError):
            source(kind, tmp_path / "no")
    write(tmp_path / "picture" / "a.png", PICTURE)
    write(tmp_path / "alpha" / "b.png", ALPHA)
    with pytest.raises(MediaError, match="no alpha whose name is that of a picture"):
        source("stills", tmp_path)
    write(tmp_path / "alpha" / "a.png", ALPHA[:40])
    with pytest.raises(MediaError, match="is 64x40, and what belongs to it 64x48"):
        one(source("stills", tmp_path))
    write(tmp_path / "alpha" / "a.png", ALPHA)
    (tmp_path / "picture" / "a.png").write_bytes(b"no png")
    with pytest.raises(MediaError, match="cannot be read as an image"):
        one(source("stills", tmp_path))
    with pytest.raises(SettingsError, match=r"data \(images\)\.flpi is not known; did you mean 'flip'"):
        source("stills", tmp_path, flpi=True)
    with pytest.raises(SettingsError, match=r"augment\.motoin is not known; did you mean 'motion'"):
        source("stills", tmp_path, augment={"motoin": 1})
    with pytest.raises(MediaError, match="none of them between 0.9 and 0.95"):
        source("stills", tmp_path, first=0.9, last=0.95)


def test_a_sample_is_the_same_whoever_asks(tmp_path):
    for n in range(3):
        write(tmp_path / "picture" / f"{n}.png", np.roll(PICTURE, n, 1))
        write(tmp_path / "alpha" / f"{n}.png", np.roll(ALPHA, n, 1))
    shape, how = Shape(2, 16, 16), {"scale": [0.3, 0.9], "flip": True, "compression": {"share": 0.5}}
    a, b = (source("stills", tmp_path, shape, **how) for _ in range(2))
    forwards = [one(a, k, k) for k in range(3)]
    backwards = [one(b, k, k) for k in (2, 1, 0)][::-1]
    assert all(np.array_equal(x[key], y[key]) for x, y in zip(forwards, backwards, strict=True) for key in x)
    assert not np.array_equal(one(a, 0, 5)["source"], forwards[0]["source"])


def test_sequences_go_on_without_gaps():
    rng = np.random.default_rng(3)
    for count in (1, 2, 5, 40):
        for wanted in (1, 3, 8):
            for _ in range(20):
                numbers = frame_numbers(count, min(count - 1, 6), wanted, rng)
                assert len(numbers) == wanted and set(numbers) <= set(range(count))
                assert count == 1 or all(abs(a - b) == 1 for a, b in itertools.pairwise(numbers))
