"""The benchmark's scenes (docs/bench/scenes.md) as a source: each eye of each is a clip, with everybody's coverage and colours."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from vr180_ofx.arrays import Array
from vr180_ofx.errors import MediaError
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.open import open_clip
from vr180_ofx.quality.truth import Truth
from vr180_ofx.settings import Settings
from vr180_ofx.training.contract import Shape
from vr180_ofx.training.data.cache import shared
from vr180_ofx.training.data.layers_file import shown
from vr180_ofx.training.data.reading import Video, grey, smaller
from vr180_ofx.training.data.windows import Layers, WindowOptions, WindowSource, options_of


class Scene:
    """A scene's files, opened once for both eyes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.Lock()

    @cached_property
    def truth(self) -> Truth:
        return Truth(self.folder)

    @cached_property
    def layers(self) -> dict[str, Video]:
        """Those of gt_everybody and foreground that are there. The background is black where somebody hides it: it is no layer to move."""
        files = {n: self.folder / f"{n}.mkv" for n in ("gt_everybody", "foreground")}
        return {n: Video(f) for n, f in files.items() if f.is_file()}

    @cached_property
    def clip(self) -> Path:
        found = [f for f in sorted(self.folder.glob("clip.*")) if f.suffix in (".mp4", ".mov", ".mkv")]
        if not found:
            raise MediaError(f"{self.folder} has no clip.mp4")
        return found[0]

    @cached_property
    def views(self) -> tuple[str, ...]:
        return self.truth.layout.views

    def pictures(self, view: str, numbers: Sequence[int]) -> list[Array]:
        """sRGB as the program sees it, whatever the file's encoding is. (h, w, 3) uint8."""
        opened: list[Any] = []

        def load(number: int) -> Array:
            if not opened:
                opened.append(open_clip(str(self.clip), Settings(input={"layout": self.truth.layout.name})))
            eye = opened[0].frame(number).eyes[view]
            made: Array = np.rint(np.clip(eye.region(Rect.of_size(eye.width, eye.height)), 0, 1) * 255).astype(np.uint8)
            return made

        try:
            with self.lock:
                return [shared().get(self.clip, f"{view} {n}", lambda n=n: load(n)) for n in numbers]  # type: ignore[misc]
        finally:
            for clip in opened:
                clip.close()


@dataclass(slots=True)
class SceneItem:
    """One eye of a scene. See `windows.Item`."""

    scene: Scene
    view: str
    soft: bool = True
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = f"{self.scene.folder.name} {self.view}"

    @property
    def count(self) -> int:
        return len(self.scene.layers["gt_everybody"])

    def read(self, numbers: Sequence[int], least: int) -> Layers:
        alphas = self._layer("gt_everybody", numbers, least, grey)
        colours = None
        if "foreground" in self.scene.layers:
            path = self.scene.layers["foreground"].path
            colours = self._layer("foreground", numbers, least, lambda frame: shown(frame, path))
        pictures = [smaller(p, least) for p in self.scene.pictures(self.view, numbers)]
        return Layers(pictures, alphas, colours)

    def _layer(self, name: str, numbers: Sequence[int], least: int, made: Callable[[Array], Array]) -> list[Array]:
        """This eye's part of a layer's frames, as they are used."""
        layout = self.scene.truth.layout
        (x, y), (w, h) = layout.origin(self.view), layout.eye_size
        video = self.scene.layers[name]
        decoded: dict[int, Array] = {}

        def load(number: int) -> Array:
            if number not in decoded:
                decoded.update(video.decode(number, max(numbers)))
            return smaller(made(np.ascontiguousarray(decoded[number][y : y + h, x : x + w])), least)

        with self.scene.lock:
            return [shared().get(video.path, f"{self.view} {n} {least}", lambda n=n: load(n)) for n in numbers]  # type: ignore[misc]


def scenes(path: Path, options: Mapping[str, Any], shape: Shape) -> WindowSource:
    """See `contract.SourceMaker`. path: a folder of scenes, or one scene."""
    return WindowSource(scenes_of(path), options_of(WindowOptions, options, "scenes"), shape, str(path))


def scenes_of(path: Path) -> list[SceneItem]:
    """Both eyes of all scenes below a folder. Raises MediaError."""
    if not path.is_dir():
        raise MediaError(f"{path} is no folder")
    folders = [d for d in (path, *sorted(path.iterdir())) if (d / "scene.json").is_file() and (d / "gt_everybody.mkv").is_file()]
    if not folders:
        raise MediaError(f"{path} holds no scenes: folders with clip.mp4, scene.json and gt_everybody.mkv are looked for")
    items = []
    for folder in folders:
        scene = Scene(folder)
        items += [SceneItem(scene, view) for view in scene.views]
    if len({"foreground" in i.scene.layers for i in items}) > 1:
        raise MediaError(f"{path}: some scenes have foreground.mkv and others do not; put them into folders of their own")
    return items
