"""The detector of the extra `yolo`: any detection model of ultralytics, class person. AGPL-3.0: imported only when chosen."""

from __future__ import annotations

import atexit
import contextlib
import logging
import math
import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import SettingsError
from vr180_ofx.people.contract import Candidate
from vr180_ofx.vr180.body import body_from_directions
from vr180_ofx.vr180.window import Window

log = logging.getLogger(__name__)
INPUT_SIZE = 640
_PERSON = "person"
#: The circle around a standing body is a little larger than the body.
_CIRCLE = 1.05
#: A body this much wider than high is not standing.
_LYING = 1.4


class Yolo:
    """See `people.detector.Detector`. One picture at a time: the model is shared and not made for threads.

    weights: a model file of ultralytics (it is unpickled: use files you trust). threshold: the least score of a person, 0..1.
    """

    size = INPUT_SIZE

    def __init__(self, weights: Path, threshold: float, device: str = "cpu") -> None:
        if not weights.is_file():
            raise SettingsError(
                f"the detector's weights {weights} do not exist; run: vr180-ofx weights pull yolov8n, or set detection.weights"
            )
        self._threshold = threshold
        self._device = device
        self._lock = threading.Lock()
        with _quiet():
            try:
                self._model = _ultralytics().YOLO(str(weights), task="detect", verbose=False)
                names: dict[int, str] = dict(self._model.names)
            except SettingsError:
                raise
            except Exception as error:  # noqa: BLE001 - unpickling may raise anything
                raise SettingsError(f"{weights} is not a detection model that ultralytics can load: {str(error).splitlines()[0]}") from None
        self._classes = [k for k, name in names.items() if name == _PERSON]
        if not self._classes:
            raise SettingsError(f"the model {weights} knows no class 'person'; it knows {', '.join(list(names.values())[:8])}")

    def find(self, image: FloatArray, window: Window, threshold: float) -> list[Candidate]:
        """image: (640, 640, 3) sRGB 0..1."""
        bgr = np.ascontiguousarray((image[..., ::-1] * 255).round().clip(0, 255).astype(np.uint8))
        with self._lock, _quiet():
            (result,) = self._model.predict(
                bgr, imgsz=INPUT_SIZE, conf=max(threshold, self._threshold), classes=self._classes, device=self._device,
                half=False, verbose=False, save=False,
            )  # fmt: skip
        boxes = result.boxes.xyxy.cpu().numpy().astype(np.float64) * (window.size / image.shape[0])
        scores = result.boxes.conf.cpu().numpy()
        return [_candidate(box, float(score), window) for box, score in zip(boxes, scores, strict=True)]


def _candidate(box: FloatArray, score: float, window: Window) -> Candidate:
    """A body that fills the box: its hips in the middle, upright unless the box lies."""
    x0, y0, x1, y1 = (float(v) for v in box)
    cx, cy, width, height = (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0
    reach = _CIRCLE * max(width, height) / 2
    top = (cx - reach, cy) if width > _LYING * height else (cx, cy - reach)
    hips_direction, top_direction = window.directions(np.array([(cx, cy), top]))
    body = body_from_directions(hips_direction, top_direction)
    return Candidate(body, score if math.isfinite(score) else 0.0)


def _ultralytics() -> Any:
    """The package, kept from the network, from installing things, and from the user's home."""
    folder = None
    if "YOLO_CONFIG_DIR" not in os.environ:
        folder = tempfile.mkdtemp(prefix="vr180-ofx-ultralytics.")
        os.environ["YOLO_CONFIG_DIR"] = folder
        os.environ.setdefault("MPLCONFIGDIR", folder)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", YOLO_VERBOSE="false")
    try:
        import ultralytics
    except ImportError as error:
        raise SettingsError(
            f"the YOLO detectors need the package ultralytics ({error}), which is licensed under the AGPL-3.0; "
            "install it with: pip install 'vr180-ofx[yolo]'"
        ) from None
    return ultralytics


@contextlib.contextmanager
def _quiet() -> Any:
    """It speaks on standard output by itself, which is ours."""
    logger = logging.getLogger("ultralytics")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
