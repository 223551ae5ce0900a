"""The contact sheet shows who was found where, and with which matte."""

from dataclasses import replace

import numpy as np
import OpenImageIO as oiio
import pytest

from tests.cli.conftest import cli
from tests.conftest import make_clip
from vr180_ofx.engine.frame import Frame, ViewMatte
from vr180_ofx.engine.plans import analyse
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.errors import FrameError, ResourceError
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.doubts import Doubt
from vr180_ofx.people.plan import Plan
from vr180_ofx.rendering.contact_sheet import chosen_frames, contact_sheet
from vr180_ofx.rendering.sheet_tiles import LEFT, PALETTE, TOP


def read(path):
    source = oiio.ImageInput.open(str(path))
    assert source is not None
    return source.read_image("float")


def close_to(picture, colour):
    return (np.abs(picture - colour).max(axis=-1) < 0.02).sum()


@pytest.fixture(scope="module")
def found(people_clip):
    with open_clip(people_clip) as clip:
        yield clip, analyse(clip)


def test_everybody_is_shown_with_box_and_matte(found, tmp_path):
    clip, plan = found
    asked = []

    def mattes(n):
        asked.append(n)
        return drafts[n]

    with FrameServer(clip, plan) as server:
        drafts = [server.request(n, "draft").result() for n in range(len(clip))]
    contact_sheet(clip, plan, tmp_path / "who.png", at=[2, 7], mattes=mattes)
    contact_sheet(clip, Plan.of_nobody(clip), tmp_path / "nobody.png", at=[2, 7])
    who, nobody = read(tmp_path / "who.png"), read(tmp_path / "nobody.png")
    # each frame once, however many are shown in it
    assert asked == [2, 7] and len(plan.people) == 2
    for colour in PALETTE[:2]:
        assert close_to(who, colour) > 3000 > 10 * close_to(nobody, colour)
    # two frames of both eyes at the top, 600 pixels an eye: the left eye's own picture below the rulers
    part = who[: nobody.shape[0], : nobody.shape[1]]
    eye = clip.frame(2).eyes["left"].region(Rect.of_size(*clip.eye_size))
    y = nobody.shape[0] - 2 * (TOP + 600 + 22) - 6 + TOP
    tile = part[y + 300 : y + 590, LEFT : LEFT + 600]
    wanted = eye[(np.arange(300, 590) * 512 // 600)][:, (np.arange(600) * 512 // 600)]
    assert np.median(np.abs(tile - wanted)) < 0.02
    # below: each person's frames, whose mattes are white as far as they are alone
    white = (who[nobody.shape[0] :] > 0.98).all(axis=-1).sum()
    black = (who[nobody.shape[0] :] == 0).all(axis=-1).sum()
    assert white > 40_000 and black > 100_000


def nobody_in(clip):
    """Mattes in which nobody is."""
    return lambda n: Frame(n, {v: ViewMatte(clip.eye_size[0], clip.eye_size[1], ()) for v in clip.views}, {"quality": "draft"})


def test_which_frames_are_chosen(found):
    clip, plan = found
    person = plan.people[0]
    shown = chosen_frames(plan, person)
    assert [s.index for s in shown if "first" in s.why or "middle" in s.why or "last" in s.why] == [0, 5, 9]
    # somebody who is unsure in one frame, and of whom a note speaks in another
    entries = {
        v: {n: replace(e, score=0.3 if n == min(rows, key=lambda k: abs(k - 3)) else 1.0) for n, e in rows.items()}
        for v, rows in person.views.items()
    }
    unsure = replace(
        plan,
        people=(replace(person, views=entries), *plan.people[1:]),
        notes=(f"{person.name} may be two people from #8 on", "person02: #4"),
    )
    why = {s.index: s.why for s in chosen_frames(unsure, unsure.people[0])}
    assert "see the note" in why[8] and 4 not in why
    assert min(why, key=lambda n: min(unsure.track(unsure.people[0], v).scores[n] for v in unsure.views)) in [
        n for n, w in why.items() if "least sure" in w
    ]
    assert [s.index for s in chosen_frames(plan, person, [4, 4, 99, 1])] == [1, 4]
    # where somebody may be two people: the last frame of one, the first of the other
    doubted = replace(plan, people=(replace(person, doubts=(Doubt(7),)), *plan.people[1:]))
    why = {s.index: s.why for s in chosen_frames(doubted, doubted.people[0])}
    assert "before" in why[6] and "somebody else?" in why[7]


def test_a_long_clip_costs_no_more_than_a_short_one(found, tmp_path):
    """Everybody's frames are few, however long they are there, and each is decoded once."""
    clip, plan = found
    crowd = replace(plan, people=tuple(replace(plan.people[k % 2], id=k + 1, name=f"person{k + 1:02d}") for k in range(30)))
    contact_sheet(clip, crowd, tmp_path / "crowd.png", mattes=nobody_in(clip))
    height, width = read(tmp_path / "crowd.png").shape[:2]
    # 48 rows of some 400 pixels, and 30 names
    assert height < 48 * 520 + 3 * 660 + 30 * 60 and width < 2600


def test_what_cannot_be_made_is_said_and_the_rest_is_shown(found, tmp_path):
    """Frames without a matte, for want of memory or because they cannot be decoded."""
    clip, plan = found

    def mattes(n):
        if n == 2:
            raise ResourceError("out of memory")
        raise FrameError(clip.path, n, "damaged")

    contact_sheet(clip, plan, tmp_path / "said.png", at=[2, 3], mattes=mattes)
    contact_sheet(clip, plan, tmp_path / "made.png", at=[2, 3], mattes=nobody_in(clip))
    said, made = read(tmp_path / "said.png"), read(tmp_path / "made.png")
    assert said.shape == made.shape
    # the pictures are the same; the words below the mattes are others
    differ = (said != made).any(axis=-1)
    assert 0 < differ.mean() < 0.02


def test_flat_clips_and_frames_that_are_none(tmp_path, capsys):
    make_clip(tmp_path / "flat.mp4", 4, size=(320, 180))
    status, _, _ = cli(
        capsys, "analyse", str(tmp_path / "flat.mp4"), "-o", str(tmp_path / "p.json"), "--preview", str(tmp_path / "s.png"), "--at", "1-2"
    )
    assert status == 0 and read(tmp_path / "s.png").shape[1] > 600
    status, _, said = cli(
        capsys, "analyse", str(tmp_path / "flat.mp4"), "-o", str(tmp_path / "q.json"), "--preview", str(tmp_path / "t.png"), "--at", "x"
    )
    assert status == 2 and "ranges" in said and not (tmp_path / "t.png").exists()
