"""One clip that is analysed once: everything about its plan is a value, which no test can change."""

import pytest

from vr180_ofx.engine.plans import analyse
from vr180_ofx.media.open import open_clip


@pytest.fixture(scope="session")
def planned(people_clip):
    """Ten frames of two people in both eyes, and their plan."""
    with open_clip(people_clip) as clip:
        yield clip, analyse(clip)


@pytest.fixture(scope="session")
def bare(people_clip):
    """The same clip, opened, not analysed."""
    with open_clip(people_clip) as clip:
        yield clip
