"""The tuned numbers of this room, with their units and where they come from. They are part of what `Consistency.identity` says.

Where a source says "by hand", there is a reason and no measurement.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from vr180_ofx.matte.parameters import SAME_EDGE, SameEdgeParameters
from vr180_ofx.parameters import identity_of


@dataclass(frozen=True, slots=True)
class AgreementParameters:
    """How the masks of both eyes are compared.

    samples: on a side of a window, for the figure that counts. 56² are enough to know whether a matte is wrong, and cost a hundredth of a
        frame.
    coarse_samples: on a side, to find the shift. Half of ``samples``: a quarter of the price of each of ``steps``.
    search: how far the shift is looked for to each side of where the plan has the bodies, in shares of the window's width. By hand.
    steps: places at which it is looked for there; three finer ones follow around the best.
    least_visible: share of the person that both eyes see below which nothing is said. By hand.
    telling_overlap: masks that agree less say nothing of the distance when the plan does not, either. By hand.
    damage_ratio: an eye with less than this share of the other's detail, or brightness, where the person is, has the worse picture. By
        hand: eyes of both clips that were blurred or darkened on purpose are named, and those that were not are not.
    detail_sigma_px, detail_box_px: detail is what a Gaussian of this width takes away, averaged over boxes of this side; window pixels.
    tied: eyes whose sureness, 0..1, differs by less are as sure as each other. By hand.
    """

    samples: int = 56
    coarse_samples: int = 28
    search: float = 0.03
    steps: int = 7
    least_visible: float = 0.25
    telling_overlap: float = 0.5
    damage_ratio: float = 0.5
    detail_sigma_px: float = 1.5
    detail_box_px: int = 7
    tied: float = 0.05

    def __post_init__(self) -> None:
        if min(self.samples, self.coarse_samples, self.steps) < 2:
            given = f"{self.samples}, {self.coarse_samples} and {self.steps}"
            raise ValueError(f"samples, coarse_samples and steps are {given}; each is at least 2")


@dataclass(frozen=True, slots=True)
class DisparityParameters:
    """How disparity is measured in epipolar windows; pixels are theirs.

    margin_px: around the person, for the matchers' windows.
    search_px: the shift is looked for in so many pixels, half of them to each side: the windows lie where the mattes do.
    rows: more rows or columns of a person do not make the surface better, only dearer.
    box_samples, box_points: a matte's extent is looked up in so many samples on its shorter side, and in so many points of those.
    inside: alpha above which a pixel is the person's alone, and can be matched.
    agree_px: both matchers agree within so much. Both agreeing, 0.89 of walk3d_2k's pixels are within half a pixel of the truth, where
        semi-global matching alone has 0.80 and dense inverse search 0.79; on duo_2k 0.99, 0.97 and 0.95.
    beyond_px, least_known: the exact search reaches so far beyond the shifts that both found, when so many pixels are known.
    depth_px: the surface departs from its plane by so much at most: a person at arm's length is 20 cm deep.
    spread: (sigma in pixels, weight) of the blurs over which what is believed is spread: near by where there is something, far where
        there is not.
    plane_least: with fewer pixels the plane is level.
    plane_rounds, plane_scale_px: of Cauchy's reweighting; errors below the scale weigh alike.
    block_px, uniqueness_percent: of semi-global matching: the side of what is compared, and by how much the best shift must win. Within
        what OpenCV's documentation of StereoSGBM proposes.
    """

    margin_px: int = 24
    search_px: int = 48
    rows: int = 320
    box_samples: int = 256
    box_points: int = 5000
    inside: float = 0.8
    agree_px: float = 0.8
    beyond_px: int = 4
    least_known: int = 200
    depth_px: float = 6.0
    spread: tuple[tuple[float, float], ...] = ((4.0, 1.0), (12.0, 0.05), (36.0, 0.002))
    plane_least: int = 16
    plane_rounds: int = 10
    plane_scale_px: float = 0.05
    block_px: int = 5
    uniqueness_percent: int = 5


@dataclass(frozen=True, slots=True)
class SurfaceParameters:
    """What is done with a measured surface.

    least_sure: share of the person that must have been measured for the surface to be believed. By hand.
    tolerance: pixels by which places may be off that are interpolated: a tenth of what is measured at best.
    extent_samples: a rectangle of one eye is looked at in so many places, squared, to say where it lies in the other.
    rounds: of going there and back, which the smooth surface lets settle at once.
    """

    least_sure: float = 0.25
    tolerance: float = 0.05
    extent_samples: int = 33
    rounds: int = 6


@dataclass(frozen=True, slots=True)
class JoinParameters:
    """How both eyes' mattes are made one.

    margin_px: pixels of the eye around a matte within which the other eye may add to it.
    least_weight: even without confidence an eye has a say; beside confidences of 0..1.
    same_edge: which differences are an edge, where a network and a mask see it in one eye.
    edge_leniency: edges of one matte in both eyes may differ by so many times what those of a network and a mask may in one eye. 2 instead
        of 1: stereo error 0.0120 -> 0.0100 on duo_2k and 0.0130 -> 0.0119 on walk3d_2k, MAD 0.961 -> 0.975 and 1.679 -> 1.677e-3.
    """

    margin_px: int = 4
    least_weight: float = 0.05
    same_edge: SameEdgeParameters = SAME_EDGE
    edge_leniency: float = 2.0


@dataclass(frozen=True, slots=True)
class TransferParameters:
    """How one eye's matte is carried to the other.

    least_alpha: below this nobody is there: one step of eight bits.
    elsewhere: a surface so far from where the masks say the person is, in tangents, was matched with something else. By hand.
    confidence: of what was carried, against what was seen. By hand.
    least_weight: even without confidence an eye has a say; beside confidences of 0..1.
    """

    least_alpha: float = 0.004
    elsewhere: float = 0.01
    confidence: float = 0.5
    least_weight: float = 0.01


@dataclass(frozen=True, slots=True)
class CorrectionParameters:
    """What is done about an eye that does not agree.

    at_odds: eyes whose masks overlap less than this see different things, and one of them is wrong; above it, people who were told apart
        by a matting network keep what each eye says. One person's matte carried into what is shared out tears holes: with it, duo_2k had
        MAD 0.97e-3 and stereo error 0.0175; without, 0.90e-3 and 0.0149.
    damaged_weight: how much an eye counts in an ensemble whose picture is damaged. By hand.
    """

    at_odds: float = 0.5
    damaged_weight: float = 0.1


@dataclass(frozen=True, slots=True)
class StereoParameters:
    """All that decides what a frame's mattes look like once both eyes are compared."""

    agreement: AgreementParameters = AgreementParameters()
    disparity: DisparityParameters = DisparityParameters()
    surface: SurfaceParameters = SurfaceParameters()
    join: JoinParameters = JoinParameters()
    transfer: TransferParameters = TransferParameters()
    correction: CorrectionParameters = CorrectionParameters()

    def identity(self) -> str:
        """Equal strings mean equal numbers."""
        return identity_of(self)


@dataclass(frozen=True, slots=True)
class DistanceParameters:
    """How far away somebody is, from one look at both eyes, and over a shot.

    rows: of a person; more do not make the distance better.
    outer_percent: of a person's angles left out at each end: what a mask has of somebody else.
    search: how far to each side of what was expected, in shares of the person's height; at least ``least_search_px``.
    level_px: rows up and down: cameras that are not quite level.
    least_pixels, least_mask: fewer of the template, or of the mask, say nothing.
    least_likeness: correlation, -1..1, below which it was somebody else. By hand.
    neighbours: stretches to each side that a stretch is held against.
    outlier, outlier_floor: it is left out when it differs by more than this share of what is around it, or of this shift.
    """

    rows: int = 112
    outer_percent: float = 2.0
    search: float = 0.22
    least_search_px: int = 6
    level_px: int = 4
    least_pixels: int = 64
    least_mask: int = 4
    least_likeness: float = 0.7
    neighbours: int = 2
    outlier: float = 0.15
    outlier_floor: float = 0.005

    def identity(self) -> str:
        """Equal strings mean equal numbers."""
        return identity_of(self)


@dataclass(frozen=True, slots=True)
class ResidualParameters:
    """How the turn of one camera against the other is measured. Found within 0.02 degrees for turns of up to 1.5 on both clips.

    half: half the width and the height of what is looked at, radians. Beyond it rows are drawn out too much to be matched.
    side: pixels of that.
    points, quality, apart_px: corners that are followed (Shi and Tomasi), their least quality against the best, and their least distance.
    window_px, levels: the side of what is compared to follow them, and the levels of the pyramid (Lucas and Kanade).
    there_and_back_px: that going there and back may be off.
    farthest: elevations that differ by more, radians, were matched with something else, or the cameras want a new screw.
    least_points: fewer, and nothing is said.
    rounds, cauchy: of the robust fit; Cauchy's scale in standard deviations.
    least_degrees: a turn below is not worth a correction.
    evidence: standard errors below which a turn is no evidence.
    """

    half: float = math.radians(62)
    side: int = 640
    points: int = 700
    quality: float = 0.01
    apart_px: int = 7
    window_px: int = 15
    levels: int = 4
    there_and_back_px: float = 0.3
    farthest: float = math.radians(4)
    least_points: int = 60
    rounds: int = 20
    cauchy: float = 1.5
    least_degrees: float = 0.05
    evidence: float = 5.0

    def identity(self) -> str:
        """Equal strings mean equal numbers."""
        return identity_of(self)


@dataclass(frozen=True, slots=True)
class SweepParameters:
    """How the distance of something unknown is looked for.

    nearest_m: nobody can look at what is nearer in stereo: at 0.3 m the eyes see it 12 degrees apart.
    side: pixels of the window, on its longer side: what is looked for is one distance, which more pixels do not make better.
    most_steps: distances that are looked at. peak_steps: to each side of the best one that are its own peak: neighbouring shifts are a
        pixel apart, and pictures are like themselves within some pixels.
    least_pixels: fewer say nothing. inside: alpha above which a pixel counts.
    least_likeness: correlation below which it was something else, as of `DistanceParameters`.
    """

    nearest_m: float = 0.3
    side: int = 128
    most_steps: int = 160
    peak_steps: int = 4
    least_pixels: int = 64
    inside: float = 0.5
    least_likeness: float = 0.7

    def identity(self) -> str:
        """Equal strings mean equal numbers."""
        return identity_of(self)


SWEEP = SweepParameters()
STEREO = StereoParameters()
DISTANCE = DistanceParameters()
RESIDUAL = ResidualParameters()
