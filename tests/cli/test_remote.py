"""What a server is asked for, and what is its own affair. The rest: tests/service."""

from vr180_ofx.cli.remote import asked_of_server
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
