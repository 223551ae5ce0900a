"""The section of what is done to edges after matting: edges."""

from __future__ import annotations

from typing import Literal

from vr180_ofx.settings.traits import Section, setting

#: Sizes that hosts' sliders offer and that a matte of one person survives; more is another matte.
MOST_PX = 20.0
#: Twice that: a feathered edge reaches to both sides of where it was.
MOST_FEATHER_PX = 40.0
#: Islands and holes of at most 100x100 pixels: more, in a 6K eye, is a hand or a gap between an arm and a body.
MOST_AREA_PX2 = 10_000.0
#: An edge is where half is covered: a clip beyond that would move it, which is what size is for; so the clips can never meet.
HALF = 0.5
#: Narrower than a sixteenth a ramp of some pixels is a stair; at more than twice its width what is covered by a thousandth, which nobody
#: sees, would be covered by a tenth.
HARDEST, SOFTEST = -4.0, 1.0


class EdgesSettings(Section):
    """What is done to everybody's edges after matting, in this order; no network runs for it. The plan has values of its own, for frames
    and people. Pixels are those of the eye at full resolution.
    """

    temporal: float = setting(
        0.0, pixels="yes", http=True, ge=0, le=1,
        description="How much the frames before and after count, along the motion of the picture; 1: as much as the frame itself.",
    )  # fmt: skip
    black_clip: float = setting(
        0.0, pixels="yes", http=True, ge=0, lt=HALF, description="What is covered by less is not covered at all: takes haze away."
    )
    white_clip: float = setting(
        1.0, pixels="yes", http=True, gt=HALF, le=1, description="What is covered by more is covered wholly: fills thin places."
    )
    gamma: float = setting(
        1.0, pixels="yes", http=True, ge=0.1, le=10, description="Above 1 half-covered pixels are covered more, below 1 less."
    )
    softness: float = setting(
        0.0, pixels="yes", http=True, ge=HARDEST, le=SOFTEST,
        description="Soft edges become 2^softness times as wide as they are: -1 halves them, 1 doubles them; sharp ones stay sharp.",
    )  # fmt: skip
    keep_motion_blur: bool = setting(
        False, pixels="yes", http=True,
        description="Where people move fast the shutter blurs their edges: there clips, gamma and softness leave them as they are.",
    )  # fmt: skip
    despeckle: float = setting(
        0.0, pixels="yes", http=True, ge=0, le=MOST_AREA_PX2,
        description="Islands that cover less than so many square pixels are taken away.",
    )  # fmt: skip
    close_holes: float = setting(
        0.0, pixels="yes", http=True, ge=0, le=MOST_AREA_PX2, description="Holes of less than so many square pixels are filled."
    )
    size: float = setting(
        0.0, pixels="yes", http=True, ge=-MOST_PX, le=MOST_PX, description="Pixels by which mattes grow; below 0 they shrink."
    )
    feather: float = setting(
        0.0, pixels="yes", http=True, ge=0, le=MOST_FEATHER_PX,
        description="Pixels over which a sharp edge fades from 90 to 10 per cent, to both sides of where it was.",
    )  # fmt: skip
    unit: Literal["pixels", "milliradians"] = setting(
        "pixels", pixels="yes", http=True,
        description="What size, feather, despeckle and close_holes are measured in. milliradians: as one sees it in the headset, the same "
        "at every place and in every resolution.",
    )  # fmt: skip
