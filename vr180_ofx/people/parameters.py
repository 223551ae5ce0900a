"""The tuned numbers of this room: what each is, in which unit, and why it has its value.

A value without a source was chosen by eye on the development clips (people of 10° to 90°, 720p to 6144 pixels).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from vr180_ofx.imaging.inpaint import ERASE, EraseParameters
from vr180_ofx.parameters import identity_of
from vr180_ofx.stereo.parameters import DISTANCE, RESIDUAL, DistanceParameters, ResidualParameters


@dataclass(frozen=True, slots=True)
class DetectParameters:
    """The windows that a detector looks through, and when two of its finds are one.

    sphere_fovs: full angles in degrees of the windows on a 180° picture, one for each level: people from arm's length to
    some ten metres. sphere_limits: how far up and down, in degrees, the windows of each level look: people are small when
    they are far away, and then they stand near the horizon. flat_fractions: the same on a flat picture, as shares of its
    longer side. overlap: of neighbouring windows, a share of them (measured: at 0.42 to 0.5 the same people are found).
    sphere_margin: the centres of the outermost windows lie so much of a window inside of the picture's edge at 90°.
    same_reaches, same_size: hips so near, in reaches of the smaller body, and sizes in so narrow a ratio are one person.
    """

    sphere_fovs: tuple[float, ...] = (110.0, 70.0, 45.0)
    sphere_limits: tuple[float, ...] = (25.0, 60.0, 45.0)
    flat_fractions: tuple[float, ...] = (1.0, 0.62, 0.4)
    overlap: float = 0.45
    sphere_margin: float = 0.3
    same_reaches: float = 0.25
    same_size: tuple[float, float] = (0.6, 1.67)


@dataclass(frozen=True, slots=True)
class ObserveParameters:
    """How the segmenter is shown a person, and what of its answer counts.

    square_reaches: from the hips to the side of the square, in reaches (measured: the masks of tighter squares than the 1.25
    that the network was trained with are sharper). canvas_side: pixels of the longer side of the masks of a whole eye.
    absent: a presence, 0..1, below which nobody is there and a second round is not worth its time.
    least_area, least_occluded_area: shares of the square that the mask of somebody covers at least, in plain sight and behind
    others. least_piece: pieces of a mask with so much of the area of the largest belong to the person's box.
    core: the middle of the square, where the body is, lies inside of its rows and columns without an n-th at each side.
    steady_size: squares to be seen in, too, are so much larger and smaller: what the network was trained with (MediaPipe's model card).
    erase: how others are taken out of the picture.
    """

    square_reaches: float = 1.25
    canvas_side: int = 256
    absent: float = 0.3
    least_area: float = 0.02
    least_occluded_area: float = 0.012
    least_piece: float = 0.1
    core: tuple[int, int] = (5, 3)
    steady_size: float = 1.25
    erase: EraseParameters = field(default=ERASE)


@dataclass(frozen=True, slots=True)
class SamePersonParameters:
    """When two observations are one person, and whether the eyes may see one body.

    presence: the least, 0..1, of an observation that counts. same_iou: masks that coincide so far are one person seen twice.
    contained: a mask that lies so far inside another, as a share of itself, is a part of that person.
    step_reaches, step_size: nobody moves further between two frames, in reaches, or changes their size by more.
    near_reaches: nor is the body found further from where a detector said.
    level_reaches, level_degrees: both eyes see a body at one height, but for so much of its reach and of the cameras.
    eye_size: the ratio of its sizes in both eyes. least_disparity_degrees (and so much of the reach: negative_reaches),
    most_disparity_degrees: from behind infinity, as cameras are turned against each other, to arm's length.
    new_disparity_reaches, new_disparity_degrees: how far the disparity may be from what it was.
    disparity_weights: of what it was and what was seen now, in its running mean. most_longitude: radians from straight ahead,
    beyond which the other eye is not looked at.
    """

    presence: float = 0.5
    same_iou: float = 0.6
    contained: float = 0.65
    step_reaches: float = 0.5
    step_size: tuple[float, float] = (0.6, 1.67)
    near_reaches: float = 0.6
    level_reaches: float = 0.12
    level_degrees: float = 0.7
    eye_size: tuple[float, float] = (0.6, 1.67)
    least_disparity_degrees: float = -1.5
    negative_reaches: float = 0.1
    most_disparity_degrees: float = 12.0
    new_disparity_reaches: float = 0.2
    new_disparity_degrees: float = 1.0
    disparity_weights: tuple[float, float] = (0.7, 0.3)
    most_longitude: float = 0.6 * math.pi


@dataclass(frozen=True, slots=True)
class AssociateParameters:
    """Who is who from frame to frame.

    known_reaches, known_size: a detection so near to somebody, in reaches of the smaller body, and of a size in this ratio is
    of them. double_margin: two masks are one when one contains the other by ``SamePersonParameters.same_iou`` and so much more.
    hit_affinity, most_hits: what each confirmation, up to so many, adds to the IoU with the mask before when two tracklets
    claim one mask. lost_s: seconds out of sight after which nobody is looked for any more.
    return_reaches, return_reaches_per_s, return_size: how far from where they were lost, and with what ratio of sizes,
    somebody is the same person: the longer out of sight, the further they may have gone.
    history: frames that newcomers are followed back through.
    """

    known_reaches: float = 0.5
    known_size: tuple[float, float] = (0.5, 2.0)
    double_margin: float = 0.15
    hit_affinity: float = 0.02
    most_hits: int = 10
    lost_s: float = 3.0
    return_reaches: float = 0.6
    return_reaches_per_s: float = 0.8
    return_size: tuple[float, float] = (0.55, 1.8)
    history: int = 12


@dataclass(frozen=True, slots=True)
class OcclusionParameters:
    """Finding people behind others, who are taken out of the picture.

    occluded: somebody is behind others when these cover so much of the middle of the body. near_reaches: the square around a
    body, in reaches, into which the masks of its occluders reach. score: what a detector must say of such a picture, 0..1.
    window_reaches: how widely the detector looks around each of those who were taken out.
    aside, size: where else somebody may stand behind them: reaches to the side, sizes in comparison.
    again_iou: a find that covers so much of somebody known is them.
    cover_iou: a find must be seen again, with a mask so alike, behind a plain cover (measured: people 0.62 to 0.91; ghosts in
    fillings are not seen at all, or 0.2 to 0.5). known_cover_iou: for those who are known and come to stand behind somebody.
    alone_iou: who is found beside others must be seen without them, too (measured: people 0.8 to 0.96; those made of
    parts of two are not seen at all).
    """

    occluded: float = 0.08
    near_reaches: float = 0.8
    score: float = 0.5
    window_reaches: tuple[float, ...] = (0.9, 1.2, 1.5, 2.0)
    aside: tuple[float, ...] = (-0.35, 0.35, -0.7, 0.7)
    size: tuple[float, ...] = (0.65, 1.0)
    again_iou: float = 0.4
    cover_iou: float = 0.55
    known_cover_iou: float = 0.3
    alone_iou: float = 0.5


@dataclass(frozen=True, slots=True)
class ConfirmParameters:
    """What becomes of a tracklet when its shot is over: a person, or a mistake.

    glimpse_s: who is seen for less, in seconds, in a shot of more than ``glimpse_shot`` times that, is a mistake more often
    than a person, unless they come or go at the shot's ends with ``glimpse_score`` of the detector.
    least_hits: how often a detector must have confirmed them, where it had the chance; a second network that agrees counts as once.
    least_agreed: how far two networks see them, in the mean of both (`Observer.agreement`) and the median of the looks at which they
    were asked. Fitted on the benchmark's ``dev``: ghosts have up to 0.51, people 0.58 and more (but two): docs/decisions/0083.
    asked: they are asked at the first looks at somebody, so many, as either errs in single ones; then in every search.
    """

    glimpse_s: float = 0.4
    glimpse_shot: float = 4.0
    glimpse_score: float = 0.8
    least_hits: int = 2
    least_agreed: float = 0.55
    asked: int = 6


@dataclass(frozen=True, slots=True)
class IdentityParameters:
    """When somebody is two people, see `people.identity`.

    looks: of so many frames on each side of a change (half a second of them). common: how much of the bodies both sides must show, 0..1.
    fewest: frames on each side without which nothing is said. spread: how far the looks of one person lie apart at least.
    unsure, sure: evidence from which on somebody may be two people, and from which on they are, when they were seen in ``sure_frames`` on
    both sides and something interrupted them. alike: evidence up to which those who were cut are one person.
    about: so many looks before and after something happened somebody may change.
    beside_reaches: whoever is so near to somebody, in reaches of the larger, may be taken for them.
    jump_reaches, jump_size: who moves further between two looks, in reaches, or changes their size by more, did not get there by moving.
    """

    looks: int = 6
    common: float = 0.35
    fewest: int = 2
    spread: float = 0.25
    unsure: float = 2.2
    sure: float = 3.0
    sure_frames: int = 4
    alike: float = 1.0
    about: int = 3
    beside_reaches: float = 1.0
    jump_reaches: float = 0.3
    jump_size: float = 1.35


@dataclass(frozen=True, slots=True)
class ShotParameters:
    """Where shots end.

    thumb_side: pixels of the longer side of the pictures that are compared. threshold: of PySceneDetect's content detector
    (its default). shortest: frames of a shot. lag: frames of hindsight: a picture that returns within so many frames, to
    ``returned`` of the change, was interrupted by a flash, not cut.
    both: where one eye is cut, the other changes at least by this share of it; else something happened to the one eye.
    """

    thumb_side: int = 192
    threshold: float = 27.0
    shortest: int = 5
    lag: int = 3
    returned: float = 0.5
    both: float = 0.3


@dataclass(frozen=True, slots=True)
class TrajectoryParameters:
    """How sampled entries become a way through every frame.

    gap_s: seconds out of sight up to which somebody is taken for present. smoothing_s: windows follow people as if by a
    camera operator: a Gaussian of this width, in seconds, without delay. looks_per_s: how often people are looked at: an entry
    alone holds for one look towards the ends of its shot.
    """

    gap_s: float = 0.75
    smoothing_s: float = 0.12
    looks_per_s: float = 12.0


@dataclass(frozen=True, slots=True)
class FollowParameters:
    """Following somebody who was pointed out by hand.

    seconds: how long, to each side, unless an edit says otherwise: it is done while somebody waits.
    patience: so many looks in a row without anybody, and they are gone.
    search_every: who is lost is searched for around where they were in every such look: a search costs as much as fifteen looks, and
    who comes back is in sight for longer than a sixth of a second.
    """

    seconds: float = 30.0
    patience: int = 3
    search_every: int = 2


@dataclass(frozen=True, slots=True)
class PointOutParameters:
    """Finding the body to which points belong.

    least_reach_px, most_reach: bodies are looked for from so many pixels of the canvas (smaller ones have no mask there that could say
    anything) to so many radians, which no window shows whole (`Body.window`). next_reach: from one size to the next: the network was
    trained with pictures a quarter larger and smaller (MediaPipe's model card), so that sizes a factor of 1.25^2 apart leave no gap.
    heights: how far above the hips the points are taken to be, in reaches: at the hips, at the chest, at the knees.
    rounds: so often a guess is looked at where its answer says. still_reaches, still_size: an answer that is no further from where it
    was looked for, in reaches, and of a size within this factor, is at rest: half of what the network is at home with.
    least_starts: one guess alone may come to anything; two are the least that can agree.
    """

    least_reach_px: float = 6.0
    most_reach: float = 1.2
    next_reach: float = 1.5
    heights: tuple[float, ...] = (0.0, 0.5, -0.5)
    rounds: int = 5
    still_reaches: float = 0.15
    still_size: float = 1.25
    least_starts: int = 2


@dataclass(frozen=True, slots=True)
class CarryParameters:
    """Carrying what somebody covers through frames in which the network does not see them. Figures: docs/decisions/0074.

    reach_px: eyes are reduced, by a whole factor, until a body reaches so far: an arm is some five pixels wide then.
    step_reaches: nobody moves further from one frame to the next, in reaches (as `SamePersonParameters` has it).
    radius_px: so far around where the flow says a pixel came from it is looked for: a tenth of the reach, which flow is off by where
    limbs move fast. patches: sides, pixels, of what is compared by two carriers that are otherwise the same: the least that has more
    than a point's colour in it, and the largest that an arm fills. differs: a difference of CIE L*a*b*, some 2.5 just noticeable ones
    (2.3, Mahy et al. 1994); 4 and 9 instead change an IoU by 0.03.
    surely_in_front: logit from which on the network is sure of who stands in front, as for the tracker (`BlazePoseParameters`).
    front_odds: then it is they, at so many to one, unless all that looks alike says otherwise: the network likes to take two people
    for one (decisions/0011), so its word alone does not count.
    contrast: of labels, from one frame to the next; from 2 on nothing fades, and 4 is the same.
    least_sure: how far both carriers agree (IoU) while they are believed: less is not the same person elsewhere in this program
    (`SamePersonParameters.same_iou`), and where they part, the one or the other took something else with it.
    least_area: in squares of the reach, as `ObserveParameters.least_occluded_area` of a square of 2.5 reaches. most_growth: of the area
    where it began: a body that turns and stretches (`SamePersonParameters.step_size`).
    outline_px: how far polygons may pass beside the mask's border, and least_piece: of the square of the reach, parts that are left out.
    looks: of so many looks before they were lost, half a second, the first is where it begins: in the last ones the network sees
    somebody half hidden already. alike: a look of the network that agrees with what is carried no further (IoU) is
    not believed. well_alike: one that agrees so far is what is carried on: half way from there to the same.
    falls_s: how sure it is falls by half in so many seconds: what is no longer to be seen is missing from then on, and both carriers
    agree on that.
    most_s: no further than that, in seconds, whatever fits: twice as long as anybody who is lost is looked for
    (`AssociateParameters.lost_s`).
    """

    reach_px: float = 72.0
    step_reaches: float = 0.5
    radius_px: int = 6
    patches: tuple[int, int] = (3, 7)
    differs: float = 6.0
    surely_in_front: float = 6.0
    front_odds: float = 4.0
    contrast: float = 2.0
    least_sure: float = 0.6
    least_area: float = 0.075
    most_growth: float = 1.67
    outline_px: float = 0.5
    least_piece: float = 0.004
    looks: int = 6
    alike: float = 0.6
    well_alike: float = 0.8
    falls_s: float = 2.0
    most_s: float = 6.0


@dataclass(frozen=True, slots=True)
class PointRegionParameters:
    """What belongs to points at a frame in which no network sees anybody.

    reach_px: eyes are reduced, by a whole factor, until a body reaches so far: twice as fine as what is carried, an arm is some ten pixels
    wide. reach: in reaches of the body: what is further from a point is not theirs: half of the square that shows a whole body
    (`ObserveParameters.square_reaches`), so that feet are still within it from the hips. dot: in reaches: so much around a point is surely
    what it says; a hand cannot aim better.
    """

    reach_px: float = 144.0
    reach: float = 1.25
    dot: float = 0.02


@dataclass(frozen=True, slots=True)
class PlanParameters:
    """All that decides what a plan of a clip says, but for the settings and the networks.

    side: eyes are reduced, by a whole factor, to about so many pixels. looks_per_s: how often people are followed.
    candidate_score: what a detector must say, 0..1, of somebody who is looked at more closely. least_score: the same in deep searches, of
    which a shot begins with one, and every so many searches of an eye (deep_every) is one: there are ten times as many guesses.
    fine_every: the finest windows look at every so many searches, because they are many.
    distance_every_s: one distance for so many seconds. camera_every_s, camera_looks: how often, and how many times in all, it
    is measured how the cameras are turned against each other, which does not change.
    The others: of the steps of the analysis, each by its name.
    """

    side: int = 1024
    looks_per_s: float = 12.0
    candidate_score: float = 0.5
    least_score: float = 0.1
    deep_every: int = 4
    fine_every: int = 2
    distance_every_s: float = 0.2
    camera_every_s: float = 0.5
    camera_looks: int = 60
    detect: DetectParameters = field(default_factory=DetectParameters)
    observe: ObserveParameters = field(default_factory=ObserveParameters)
    same: SamePersonParameters = field(default_factory=SamePersonParameters)
    associate: AssociateParameters = field(default_factory=AssociateParameters)
    occlusion: OcclusionParameters = field(default_factory=OcclusionParameters)
    point_out: PointOutParameters = field(default_factory=PointOutParameters)
    confirm: ConfirmParameters = field(default_factory=ConfirmParameters)
    change: IdentityParameters = field(default_factory=IdentityParameters)
    shots: ShotParameters = field(default_factory=ShotParameters)
    trajectory: TrajectoryParameters = field(default_factory=TrajectoryParameters)
    distance: DistanceParameters = field(default=DISTANCE)
    residual: ResidualParameters = field(default=RESIDUAL)

    def identity(self) -> str:
        """A hash of all numbers: a part of what plans are known by."""
        return identity_of(self)


#: What the program works with.
PLAN = PlanParameters()
FOLLOW = FollowParameters()
POINT_OUT = PointOutParameters()
CARRY = CarryParameters()
POINT_REGION = PointRegionParameters()
