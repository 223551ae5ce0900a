"""What frames say becomes what a report says."""

import numpy as np

from vr180_ofx.engine.frame import Frame, Layer, ViewMatte
from vr180_ofx.frame_ranges import Numbering
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.rendering.report import Findings, RenderReport


def frame(n, side=40, **metadata):
    one = np.ones((side, side), np.float16)
    return Frame(n, {"left": ViewMatte(200, 200, (Layer(1, "Ada", Rect(0, 0, side, side), one, one),))}, metadata)


def told(*frames):
    findings, report = Findings(), RenderReport("out", "out/a.%04d.exr")
    for one in frames:
        findings.add(one)
    findings.tell(report, Numbering(50, 1001))
    return report


def test_agreement_is_averaged_and_corrections_are_ranges():
    report = told(*(frame(n, agreement={"Ada": 0.9 - 0.1 * n}, corrected={"Ada right": "transfer"}) for n in range(3)))
    assert report.agreement == {"Ada": {"mean": 0.8, "least": 0.7}}
    assert report.corrected == {"Ada right, transfer": "1001-1003"}
    assert report.warnings == ["the eyes did not agree; corrected: Ada right, transfer, in frames 1001-1003"] == report.notes


def test_damage_and_sudden_sizes_are_warned_of():
    frames = [frame(n, side=80 if n == 4 else 40, **({"damage": {"Ada": "the left eye is darker"}} if n == 1 else {})) for n in range(9)]
    report = told(*frames)
    assert report.warnings == [
        "the left eye is darker than the other one where people are, in frames 1002",
        "Ada changes size suddenly in the left eye, in frames 1005",
    ]


def test_a_clean_render_has_nothing_to_say():
    report = told(*(frame(n) for n in range(5)))
    assert report.warnings == [] and report.notes == [] and report.agreement == {} and report.corrected == {}
