"""Who is pointed out by points, in a real clip."""

from pathlib import Path

import pytest

from vr180_ofx.engine.models import Models
from vr180_ofx.engine.plans import analyse
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.edit import apply_edits
from vr180_ofx.settings import Settings

BEDROOM = Path(__file__).parents[3] / "shared" / "clips" / "flat" / "bedroom.mp4"

#: Frame -> places that somebody marked on the boy by looking at the pictures, pixels.
BOY = {0: [(260, 165), (225, 280), (222, 340)], 10: [(282, 235), (238, 330)]}
#: On the girl, the curtain, the wall, a cushion and the bed.
NOT_HIM = {0: [(400, 190), (80, 150), (600, 200), (600, 350), (450, 480)], 10: [(80, 150), (600, 200), (450, 480)]}


@pytest.mark.slow
@pytest.mark.skipif(not BEDROOM.exists(), reason="needs ../shared/clips/flat/bedroom.mp4")
def test_the_boy_who_was_missing_is_brought_in_by_two_points():
    """He is found from frame 98 on; two points at frame 0 bring him in from there until he goes behind the girl: at frame
    20, where half of him is to be seen, he is followed, and his matte is not to be relied upon."""
    with open_clip(BEDROOM, Settings()) as clip:
        plan = analyse(clip)
        assert all(min(plan.track(p, "left").bodies) > 40 or p.id == 1 for p in plan.people)
        add = {"op": "add", "view": "left", "frame": 0, "points": [[225, 280], [220, 345]], "name": "boy", "seconds": 1}
        made = apply_edits(plan, [add], clip, load_segmenter=Models.of(clip.settings).load_segmenter)
        boy = next(p for p in made.people if p.name == "boy")
        assert set(range(21)) <= set(made.track(boy, "left").bodies)
        with FrameServer(clip, made, clip.settings) as server:
            for n, points in BOY.items():
                alpha = server.request(n).result().views["left"].person(boy.id)
                assert [alpha[y, x] > 0.5 for x, y in points] == [True] * len(points), n
                assert [alpha[y, x] < 0.5 for x, y in NOT_HIM[n]] == [True] * len(NOT_HIM[n]), n
