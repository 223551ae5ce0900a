"""Packs: what stills become in one file, what the embedded tracker says of them, and what is no pack."""

import numpy as np
import pytest
import torch

from vr180_ofx.errors import MediaError
from vr180_ofx.trackers.contract import Mask, Memory
from vr180_ofx.training.student.pack import places_in, squares, stills_in
from vr180_ofx.training.student.packing import read_pack, read_people, tracked, write_pack


class Bright:
    """A tracker that takes for somebody what is unlike the corner of the window."""

    window_size = 64
    exact_after: int | None = 0
    wants_prompts = False
    looks_ahead = 0

    def identity(self):
        return "bright"

    def begin(self):
        return Memory()

    def step(self, memory, windows, batch=0):
        return memory, {k: Mask(20 * np.abs(w.sample.rgb - w.sample.rgb[0, 0]).mean(-1) - 1.0, 1.0) for k, w in windows.items()}


def test_a_pack_gives_back_what_was_packed(stills, people, tmp_path):
    path = tmp_path / "people.safetensors"
    heard = []
    assert write_pack(stills, [stills.parent / "places"], path, tracker=Bright(), say=lambda done, of: heard.append((done, of))) == 9
    assert heard[-1] == (9, 9)
    pack = read_pack(path)
    order = torch.argsort(pack.people)
    assert torch.equal(pack.people[order], people.people) and torch.equal(pack.alphas[order], people.alphas)
    assert torch.equal(pack.boxes[order], people.boxes) and len(pack.places) == len(people.places) and pack.known.all()
    for name in ("pictures", "foregrounds"):
        assert (getattr(pack, name)[order].float() - getattr(people, name).float()).abs().mean() < 6


def test_packs_that_must_be_small_keep_people_from_all_of_them(stills, tmp_path):
    path = tmp_path / "small.safetensors"
    write_pack(stills, [], path, tracker=Bright())
    whole = path.stat().st_size
    count = write_pack(stills, [], path, tracker=Bright(), most_bytes=whole // 2)
    assert 2 <= count <= 5 and path.stat().st_size < whole * 0.6
    kept = read_pack(path).people
    assert kept.min() < 4 < kept.max()
    with pytest.raises(MediaError, match="none that fits into 10 bytes"):
        write_pack(stills, [], path, tracker=Bright(), most_bytes=10)


def test_masks_lie_where_the_person_is():
    from tests.training.student.conftest import still as ellipse
    from vr180_ofx.training.student.pack import Still

    picture, alpha, front = ellipse(3)
    given = Still("3", 3, picture.astype(np.uint8), front.astype(np.uint8), (alpha * 255).astype(np.uint8))

    class Middle(Bright):
        def step(self, memory, windows, batch=0):
            y, x = np.mgrid[:64, :64] - 31.5
            return memory, {k: Mask((20.0 - np.hypot(x, y)).astype(np.float32), 1.0) for k in windows}

    mask = tracked(Middle(), given)
    ys, xs = np.where(mask > 127)
    own = np.where(alpha > 0.5)
    # the window is made about the person, a little beside
    assert abs(ys.mean() - own[0].mean()) < 8 and abs(xs.mean() - own[1].mean()) < 8
    assert np.array_equal(mask, tracked(Middle(), given))


def test_a_folder_is_read_without_a_tracker(stills):
    pack = read_people(stills, [stills.parent / "places"])
    assert len(pack) == 9 and not pack.known.any() and not pack.tracked.any()


def test_places_are_squares_of_pictures(stills):
    made = places_in([stills.parent / "places"], 48)
    assert made and all(p.shape == (48, 48, 3) and p.dtype == np.uint8 for p in made)
    assert len(squares(stills.parent / "places" / "place.png", 48, most=2)) == 2


@pytest.mark.parametrize("damage", ["missing", "text", "foreign"])
def test_what_is_no_pack_is_said(tmp_path, damage):
    path = tmp_path / "x.safetensors"
    if damage == "text":
        path.write_text("no pack")
    if damage == "foreign":
        from safetensors.numpy import save_file

        save_file({"a": np.zeros(2)}, path)
    with pytest.raises(MediaError, match=r"x\.safetensors"):
        read_pack(path)
    with pytest.raises(MediaError, match=r"people\.jsonl"):
        list(stills_in(tmp_path))
