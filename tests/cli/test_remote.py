"""What a server is asked for, and what is its own affair. The rest: tests/service."""

import pytest

from vr180_ofx.cli.remote import _counted_from_0, asked_of_server
from vr180_ofx.errors import SettingsError
from vr180_ofx.settings import Settings


def test_only_what_was_set_and_a_server_takes_is_asked_for():
    words = [
        "input.layout=sbs", "input.frames=0-3", "input.video_path=clip.mp4", "matting.refiner=none", "stereo.master=right",
        "detection.max_people=8", "processing.max_memory_gb=4", "hardware.threads=2", "output.format=alpha",
    ]  # fmt: skip
    asked, refused = asked_of_server(Settings.from_values({}, words))
    assert asked == {"input": {"layout": "sbs"}, "matting": {"refiner": "none"}, "stereo": {"reference": "right"}}
    assert refused == ["processing.max_memory_gb", "hardware.threads"]
    assert asked_of_server(Settings()) == ({}, [])


def test_frames_are_asked_for_as_the_server_counts_them():
    facts = {"frames": 100, "start_frame": 1001, "fps": 29.97002997, "timecode": "00:00:59;00"}

    def asked(frames, **output):
        return _counted_from_0(Settings(input={"frames": frames}, output=output), facts)

    assert asked("1010-1012,1020") == "9-11,19" and asked("10-12", start_frame=1) == "9-11" and asked("all") == "0-99"
    assert asked("00:00:59;29-00:01:00;02") == "29-30"
    with pytest.raises(SettingsError, match="1001 to 1100"):
        asked("1-2")
