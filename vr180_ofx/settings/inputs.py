"""The section of garbage and holdout mattes that are pictures: mattes. Plans have more of them, and polygons."""

from __future__ import annotations

from vr180_ofx.settings.traits import Section, setting

_PICTURES = (
    "one picture, or a sequence as NAME.%04d.exr or NAME.####.png, with %V where each eye has files of its own; pictures as large as the "
    "clip's hold all eyes, those of one eye are the left one's and carried to the other by disparity."
)


class InputMattesSettings(Section):
    """Garbage and holdout mattes, for the whole clip; no network runs for them. Plans have them for people and frames, and as polygons."""

    garbage: str | None = setting(None, pixels="yes", http=False, description=f"Inside, nobody is there: {_PICTURES}")
    holdout: str | None = setting(None, pixels="yes", http=False, description=f"Inside, it is all somebody's: {_PICTURES}")
    holdout_person: str | None = setting(
        None, pixels="yes", http=True, description="Whose it is inside the holdout matte, by name; needed where there are several people."
    )
    channel: str | None = setting(
        None, pixels="yes", http=False, description="Channel or layer of the pictures, such as R or lamp.A; by default their alpha."
    )
    first: int | None = setting(
        None, pixels="yes", http=False, ge=0, le=1_000_000_000,
        description="Number of the file of the clip's first frame; by default the lowest, where there are as many files as frames.",
    )  # fmt: skip
    carry: bool = setting(True, pixels="yes", http=True, description="Mattes of one eye take effect in the other one, too.")
    feather: float = setting(0.0, pixels="yes", http=True, ge=0, le=500, description="Pixels over which the mattes' edges are soft.")
