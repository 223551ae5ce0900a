"""Sound and time codes of videos."""

from fractions import Fraction

import av
import numpy as np
import pytest

from tests.conftest import with_settings
from tests.output.conftest import sound
from vr180_ofx.output.sound import later
from vr180_ofx.rendering.render import render


@pytest.mark.parametrize(
    ("container", "asked", "becomes"),
    [
        ("greenscreen", "pcm", "aac"), ("greenscreen", "opus", "opus"), ("greenscreen", "aac", "aac"),
        ("prores4444", "pcm", "pcm_s24le"), ("prores4444", "opus", "pcm_s24le"), ("prores4444", "aac", "aac"), ("webm_alpha", "pcm", "opus"),
    ],
)  # fmt: skip
def test_sound_is_converted_to_what_was_asked_for_or_to_what_the_container_takes(rich, tmp_path, container, asked, becomes):
    clip, plan = rich
    with with_settings(clip, output={"format": container}, audio={"audio_codec": asked}, input={"frames": "0-5"}) as some:
        report = render(some, plan, output=tmp_path)
    (path,) = [p for p in tmp_path.iterdir() if p.suffix in (".mp4", ".mov", ".webm")]
    assert [name for name, _ in sound(path)] == [becomes] * 3
    said = [n for n in report.notes if f"to {becomes}" in n]
    assert len(said) == 3 and all(("takes no" in n) == (asked != becomes and (asked, becomes) != ("pcm", "pcm_s24le")) for n in said)
    with av.open(str(path)) as c:
        first = np.concatenate([f.to_ndarray().astype(np.float64).ravel() for f in c.decode(audio=0)])
    full = {"aac": 1.0, "opus": 1.0, "pcm_s24le": 2**31}[becomes]
    # a sine of 0.3
    assert 0.18 < np.sqrt(np.mean((first / full)[4000:-4000] ** 2)) < 0.23


def test_time_codes_go_on():
    assert later("10:00:59;28", 2, Fraction(30000, 1001)) == "10:01:00;02"
    assert later("10:09:59;29", 1, Fraction(30000, 1001)) == "10:10:00;00"
    assert later("01:00:00;00", 17982, Fraction(30000, 1001)) == "01:10:00;00"
    assert later("23:59:59:23", 1, Fraction(24)) == "00:00:00:00" and later("00:00:00:00", 24 * 61, Fraction(24)) == "00:01:01:00"
    assert later("00:00:59;58", 2, Fraction(60000, 1001)) == "00:01:00;04"
    assert later("nonsense", 1, Fraction(24)) is None
