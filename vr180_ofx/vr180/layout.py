"""Where the eyes lie in a frame: side by side, top and bottom, or one alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

LayoutName = Literal["sbs", "tb", "mono"]
LEFT, RIGHT = "left", "right"


def other_eye(view: str) -> str:
    """The right eye's name for the left one's, and the other way round."""
    return RIGHT if view == LEFT else LEFT


@dataclass(frozen=True, slots=True)
class Layout:
    """How a frame of ``width`` x ``height`` pixels is divided among the eyes.

    swap_eyes: the left eye's picture lies where the right one's is expected. only: what the one eye of a mono frame is called.
    """

    name: LayoutName
    width: int
    height: int
    swap_eyes: bool = False
    only: str = field(default=LEFT, repr=False)

    def __post_init__(self) -> None:
        if self.name not in get_args(LayoutName):
            raise ValueError(f"layout is {self.name!r}; allowed are {', '.join(get_args(LayoutName))}")
        if (self.name == "sbs" and self.width < 2) or (self.name == "tb" and self.height < 2):
            raise ValueError(f"a frame of {self.width}x{self.height} pixels cannot hold two eyes ({self.name})")

    @property
    def views(self) -> tuple[str, ...]:
        """The names of the views, left first."""
        return (self.only,) if self.name == "mono" else (LEFT, RIGHT)

    @property
    def eye_size(self) -> tuple[int, int]:
        """(width, height) of one eye. An odd column or row at the seam belongs to nobody."""
        if self.name == "sbs":
            return self.width // 2, self.height
        if self.name == "tb":
            return self.width, self.height // 2
        return self.width, self.height

    def origin(self, view: str) -> tuple[int, int]:
        """(x, y) of the view's first pixel in the frame."""
        if view not in self.views:
            raise KeyError(f"there is no view {view!r} in a {self.name} frame; it has {', '.join(self.views)}")
        second = (view == RIGHT) != self.swap_eyes and self.name != "mono"
        if not second:
            return 0, 0
        # the seam of an odd frame is skipped, so that both eyes have the same size
        return (self.width - self.width // 2, 0) if self.name == "sbs" else (0, self.height - self.height // 2)
