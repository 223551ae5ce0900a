"""The tuned numbers of this room, with their units and where they come from.

Lengths "at the reference" are pixels of a picture of 384 x 384, and are scaled to others (`scale`). Measurements are mean absolute
differences to ground truth (MAD), in 1e-3, on the clips duo_2k / walk3d_2k, and others where they are named; the decisions that are
numbered (docs/decisions) tell how they were made and what else was tried. Where a source says "by hand", there is a reason and no
measurement.
"""

from __future__ import annotations

from dataclasses import dataclass

from vr180_ofx.imaging.flow import TRUST, TrustParameters
from vr180_ofx.parameters import identity_of

_ACROSS_EYES = TrustParameters(fades=7.0)


@dataclass(frozen=True, slots=True)
class HeightCurve:
    """A number for each height on a body, linear between those that are given and constant beyond them.

    heights: 0 is the top of the head and 1 the soles, increasing. values: as many.
    """

    heights: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.heights) != len(self.values) or not self.heights:
            raise ValueError(f"a curve has {len(self.heights)} heights and {len(self.values)} values; it needs as many of each, at least 1")
        if any(b <= a for a, b in zip(self.heights, self.heights[1:], strict=False)):
            raise ValueError(f"the heights of a curve are {self.heights}; they must increase")


@dataclass(frozen=True, slots=True)
class GuidedParameters:
    """The guided filter with a colour guide (He, Sun, Tang 2013), whose variables these are. Decision 0009.

    radius_px: of the square in which alpha is taken for a linear function of colour, (2 radius + 1)^2 pixels of the window.
    epsilon: variance of the weighted guide, whose luma is 0..1, that counts as none.
    gain: contrast about one half afterwards. The filter softens; 1.5 takes it back, measured on the rendered clips.
    channel_weights: of luma and both colour differences in the guide. Colour differences are smaller by nature. By hand.
    """

    radius_px: int = 7
    epsilon: float = 2e-5
    gain: float = 1.5
    channel_weights: tuple[float, float, float] = (1.0, 2.0, 2.0)

    def __post_init__(self) -> None:
        if self.radius_px < 1 or self.epsilon <= 0 or self.gain <= 0:
            given = f"radius_px {self.radius_px}, epsilon {self.epsilon}, gain {self.gain}"
            raise ValueError(f"given are {given}; a radius is at least 1, epsilon and gain are above 0")


@dataclass(frozen=True, slots=True)
class ClosedFormParameters:
    """Closed-form matting (Levin, Lischinski, Weiss 2008).

    band_px: half the width of the stretch about the mask's edge that is solved, window pixels. By hand.
    epsilon: regularisation of the matting Laplacian, for colours 0..1. By hand: ten times what PyMatting has by default.
    """

    band_px: int = 8
    epsilon: float = 1e-6


@dataclass(frozen=True, slots=True)
class BandParameters:
    """Where a refiner decides: a band about the mask's edge; inside of it alpha is 1, and outside 0.

    band_px: half its width, window pixels. By hand: twice the guided filter's radius, which is how far that looks.
    reach_px: how far around a pixel refiners look, and a little more: the part of the window that they are shown is so much
        larger than the band.
    inside: of a mask, 0..1, above which a pixel belongs to the person. Half: logits of 0.
    certain: of a mask, 0..1, above which the middle of a person is surely theirs. By hand.
    """

    band_px: int = 14
    reach_px: int = 18
    inside: float = 0.5
    certain: float = 0.8


@dataclass(frozen=True, slots=True)
class PasteParameters:
    """From a window back to the plate.

    fade: the outermost part of a window in which alpha fades out, in shares of its longer side, so that a person who reaches
        beyond it does not end in a straight line. By hand.
    """

    fade: float = 0.03


@dataclass(frozen=True, slots=True)
class DetailParameters:
    """The detail of the full picture in an alpha that was made at a lower resolution. Decision 0036.

    square_px: side of the squares in which alpha is taken for a linear function of luma, pixels of the small picture. 3 was
        better than 5 and 7.
    epsilon: variance of luma, 0..1, that counts as none: 2 % of the range, squared. By hand.
    least_variance: of alpha, 0..1, below which there is nothing to explain. By hand.
    """

    square_px: int = 3
    epsilon: float = 4e-4
    least_variance: float = 1e-4


@dataclass(frozen=True, slots=True)
class UncertaintyParameters:
    """Where an alpha is neither nobody nor wholly somebody.

    least_alpha: above this, and below 1 less it.
    soft_px: standard deviation of the Gaussian that makes the border of such places soft, pixels. By hand.
    """

    least_alpha: float
    soft_px: float = 0.7


@dataclass(frozen=True, slots=True)
class SameEdgeParameters:
    """Which differences between two alphas are one edge that both see at slightly different places. Decision 0039.

    less_px, more_px: half of how wide a stretch may be where the second alpha is lower than the first by more than one half,
        and where it is higher; at the reference. The mean of a network's alpha and a mask had 1.70 / 1.67, and 1.09 / 1.68 where
        they differ by an edge alone.
    around_px: so far around wider differences nothing is an edge; at the reference. By hand.
    """

    less_px: float = 1.5
    more_px: float = 1.5
    around_px: int = 12


@dataclass(frozen=True, slots=True)
class EdgeParameters:
    """Edges of a network's alpha made as exact as the picture is. Decisions 0040, and 0051 for hair and soles.

    contrast: about one half, which does not move an edge. Networks blur what is sharp: 1.25, with ``reach_px``, took MAD on
        duo_2k / walk3d_2k to 0.99 / 1.63.
    certain: above this, and below 1 less it, an alpha is certain.
    reach_px: standard deviation of the Gaussian by which colours in front and behind are averaged, at the reference. Means from
        further away are worse.
    uncertain, margin_px: alphas are corrected by colour where they are uncertain, and so many pixels around. By hand.
    texture_doubt: how much the variance of colours on both sides speaks against them, against the squared difference of means.
    least_contrast: squared difference of colours, luma 0..1, below which they tell nothing apart. By hand.
    least_coverage: share of what is near that must be sure for its mean to count. By hand.
    dark: two sides that are darker than this together, luma 0..1, do not differ in light. By hand.
    snap: the guided filter that draws edges to the picture's. 1 to 1.5 % less error on all three clips, with what follows.
    snap_share: how much of alpha follows it where colours are trusted.
    snap_trust: the trust, 0..1, from which on they are.
    snap_least: the part of ``snap_share`` that follows it without any trust, which softens edges that cannot be seen, and
        steadies them.
    hair: how much is hair, by height. On walk3d_2k, whose hair is the only one that was not made by the network itself.
    hair_near, hair_far: the same by the distance from the mask, in shares of the picture's side: all is up to ``hair_near``, and
        nothing from ``hair_far`` on.
    hair_by_network: the part of hair that is left as the network has it: its colours are not those of the head beside it.
    hair_gain: of alpha (1 - alpha), which hair has more: networks see less of it than there is. With the heights in
        `FusionParameters`, walk3d_2k 1.56 -> 1.39; a power of alpha made clouds of what is nearly nothing.
    soles: how much is soles, by height, below which there is shadow that belongs to nobody.
    soles_loss: of alpha (1 - alpha), which soles have less: walk3d_2k 1.364 -> 1.349, duo_2k 0.003 more.
    """

    contrast: float = 1.25
    certain: float = 0.95
    reach_px: float = 2.8
    uncertain: UncertaintyParameters = UncertaintyParameters(least_alpha=0.02)
    margin_px: int = 1
    texture_doubt: float = 10.0
    least_contrast: float = 1e-3
    least_coverage: float = 0.02
    dark: float = 0.05
    snap: GuidedParameters = GuidedParameters(radius_px=3, epsilon=5e-6, gain=1.1)
    snap_share: float = 0.75
    snap_trust: float = 0.25
    snap_least: float = 0.5
    hair: HeightCurve = HeightCurve((0.12, 0.18), (1.0, 0.0))
    hair_near: float = 0.02
    hair_far: float = 0.05
    hair_by_network: float = 0.5
    hair_gain: float = 0.5
    soles: HeightCurve = HeightCurve((0.88, 0.95), (0.0, 1.0))
    soles_loss: float = 0.4


@dataclass(frozen=True, slots=True)
class FusionParameters:
    """A network's alpha and the refined masks of a tracker, as one. Decisions 0039, and 0051 for ``more`` and ``less``.

    The network alone had 1.13 / 1.93, the masks alone 2.49 / 1.73.

    more: weight, 0..1, of the refined mask where both see the same edge and it has more of somebody: networks are fat rather than
        thin. On walk3d_2k it is best not believed at all.
    less: the same where it has less, by height: nothing at hair, of which masks know little, and all at shoes, where networks take
        shadows for people. By tenths of a person's height on all three clips.
    same_edge: which differences count as an edge. Less may be five pixels wide and still be one, more only two.
    beside_px: so far from an edge of the network's the mask counts, at the reference. By hand.
    edge: the lowest alpha of such an edge; the highest is 1 less it.
    wavering_low, wavering_high: alphas between which the network wavers. With areas from 0.1 on duo_2k would be 0.97 instead of
        0.90, because those are its alphas of what is not there.
    wavering_px: half of how wide such an area must be to be no hair, at the reference.
    wavering_fade_px: standard deviation over which the decision for the mask fades out, at the reference. By hand.
    certain: of the refined mask, 0..1, above which it decides there.
    near, far: up to so far from all masks the network is believed, and from so far on it is not; in shares of the picture's side.
        By hand: hair and hands beyond a mask are near it, strangers are not.
    fall: a mask's logits fall by so much for each pixel away from it, at the reference, so that what nobody claims goes to who is
        nearest. By hand.
    most_logit: logits of masks are cut off there, when pixels are shared out. By hand.
    outside_logit: of a mask, beyond its window: surely not the person.
    believed: of what a person's mask is sure of (``certain``), the share that the network must see, too; with less the mask is
        believed the more, and alone from half of that on. So that only who vanishes nearly wholly comes back:
        with a quarter, children behind a man on duo_2k, whose masks are too large, cost 1.6 % of MAD (decision 0039).
    """

    more: float = 0.2
    less: HeightCurve = HeightCurve((0.1, 0.2, 0.82, 0.9), (0.0, 0.6, 0.6, 1.0))
    same_edge: SameEdgeParameters = SameEdgeParameters(less_px=2.5, more_px=1.0)
    beside_px: float = 4.0
    edge: float = 0.05
    wavering_low: float = 0.3
    wavering_high: float = 0.97
    wavering_px: float = 5.0
    wavering_fade_px: float = 4.0
    certain: float = 0.9
    near: float = 0.08
    far: float = 0.2
    fall: float = 0.15
    most_logit: float = 6.0
    outside_logit: float = -8.0
    believed: float = 0.125


@dataclass(frozen=True, slots=True)
class TemporalParameters:
    """Alphas averaged with those of the neighbouring frames. Decision 0045.

    before, after: weights of the frames before and after beside the frame's own, 1, where both look alike: what a network
        remembers lags. 1.5 and 1.75 instead of 1: band MAD on duo_2k 0.0709 -> 0.0703; 2.2 and more was worse again.
    uncertain: where they count. Everywhere they make haze: with this, pixels of alpha 0.004 to 0.1 far from anybody fell from
        1.8 to 0.9 for each thousand of a person's on walk3d_2k.
    margin_px: they count so far around such places, too; at the reference.
    opposed_from, opposed_to: a frame that is sure is outvoted where all others differ from it by so much: not at all up to the
        first, wholly from the second on. One neighbour alone is not enough; with it the gain was gone.
    trust: how far the motion between two frames is trusted.
    """

    before: float = 1.5
    after: float = 1.75
    uncertain: UncertaintyParameters = UncertaintyParameters(least_alpha=0.02)
    margin_px: float = 2.0
    opposed_from: float = 0.6
    opposed_to: float = 0.8
    trust: TrustParameters = TRUST


@dataclass(frozen=True, slots=True)
class BothEyesParameters:
    """A network's alphas averaged with those of the other eye. Decision 0053.

    0.916 -> 0.865 and 1.325 -> 1.311; stereo error 0.0142 -> 0.0095 and 0.0169 -> 0.0144.

    network: weight of the other eye's network alpha beside the eye's own, 1, where both look alike.
    matte: the same of the finished matte, once more. Either alone is less.
    uncertain: where the other eye counts. Everywhere: 0.89 on duo_2k.
    trust: how far the motion between the eyes is trusted. It fades sooner than between frames: backgrounds differ more.
    """

    network: float = 0.8
    matte: float = 0.4
    uncertain: UncertaintyParameters = UncertaintyParameters(least_alpha=0.05)
    trust: TrustParameters = _ACROSS_EYES


@dataclass(frozen=True, slots=True)
class CropParameters:
    """What part of a person's window a matting network sees. Decision 0038.

    On duo_2k it is as good as three times the pixels in whole windows.

    room: around a mask, in shares of its longer side. By hand.
    least_room: with less, another part is cropped.
    too_large: the same with so many times the area that is wanted. Beginning anew made no difference that could be measured.
    together: people are seen together when the area costs no more than so many times that of each of them alone.
    still_together: the same for those who were together in the frame before.
    beyond: a camera sees so far beyond its window, in shares of its side.
    least_side_px: of a mask's box, window pixels: who is narrower is not there.
    least_steps: of the network's picture on a side, in steps of 16 pixels.
    """

    room: float = 0.18
    least_room: float = 0.06
    too_large: float = 2.2
    together: float = 1.1
    still_together: float = 1.5
    beyond: float = 0.5
    least_side_px: int = 2
    least_steps: int = 4


@dataclass(frozen=True, slots=True)
class WholeFrameParameters:
    """The size of the picture of a whole eye that a network sees.

    auto_side_px: its longer side where no ratio is given: what RVM was trained with (Lin and others 2021).
    least_side_px: of either side.
    """

    auto_side_px: int = 512
    least_side_px: int = 32


@dataclass(frozen=True, slots=True)
class ConfidenceParameters:
    """How far a mask is believed.

    depth_tolerance_px: window pixels to each side within which the other eye may have the same of a person: windows of both eyes show a
        body in the same place, but for its depth. By hand.
    """

    depth_tolerance_px: int = 8


@dataclass(frozen=True, slots=True)
class CompositeParameters:
    """How overlapping mattes are shared out.

    least_alpha: below this in both mattes a pixel is nobody's matter: a quarter of a step of eight bits. By hand.
    outside_logit: of a mask, beyond its window: surely not the person.
    """

    least_alpha: float = 1e-3
    outside_logit: float = -8.0


@dataclass(frozen=True, slots=True)
class MatteParameters:
    """All that decides what becomes of a tracker's masks and a network's alphas, up to the plate's own pixels.

    What a refiner, a tracker or a network decides is in its own ``identity()``; this is the rest. Whatever is known by what it was
    made with, as frames in a cache are, is known by this `identity`, too.

    band: where refiners decide. paste: from windows to the plate. detail: of the plate in alphas made at a lower resolution.
    fusion, edges, both_eyes: what a matting network's alpha is made of. confidence: how far masks are believed. composite: how people
    who overlap share pixels.
    """

    band: BandParameters = BandParameters()
    paste: PasteParameters = PasteParameters()
    detail: DetailParameters = DetailParameters()
    fusion: FusionParameters = FusionParameters()
    edges: EdgeParameters = EdgeParameters()
    both_eyes: BothEyesParameters = BothEyesParameters()
    confidence: ConfidenceParameters = ConfidenceParameters()
    composite: CompositeParameters = CompositeParameters()

    def identity(self) -> str:
        """Equal strings mean equal numbers."""
        return f"matte:{identity_of(self)}"


#: What is in use.
MATTE = MatteParameters()
GUIDED = GuidedParameters()
CLOSED_FORM = ClosedFormParameters()
SAME_EDGE = SameEdgeParameters()
TEMPORAL = TemporalParameters()
CROPS = CropParameters()
WHOLE_FRAME = WholeFrameParameters()
