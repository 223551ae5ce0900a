"""The package's own video predictor on the same random weights: what the streaming tracker is compared with."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from vr180_ofx.arrays import ByteArray
from vr180_ofx.media.contract import Sample
from vr180_ofx.trackers.contract import Key, Prompt, WindowImage
from vr180_ofx.trackers.sam2.checkpoint import CONFIGS
from vr180_ofx.trackers.sam2.network import Sam2Network
from vr180_ofx.vr180.window import Window

WHOLE = Window((0.0, 0.0, 1.0), 60.0, 0.0, 256)


def random_network(name: str, size: int, seed: int = 0) -> Sam2Network:
    """Random weights with which people are mostly there, masks differ, and memory has a say."""
    torch.manual_seed(seed)
    network = Sam2Network(name, None, size)
    torch.manual_seed(seed)
    model = network.model
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(1.5)
        # without this, half of the frames would say that nobody is there, and those masks are all alike
        model.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.add_(3.0)
        for layer in model.memory_encoder.fuser.layers:
            layer.gamma.fill_(0.5)
    return network


def pictures(path: Path | str, count: int, size: int, first: int = 0) -> ByteArray:
    """(count, size, size, 3) uint8 from a video, squeezed into squares."""
    capture = cv2.VideoCapture(str(path))
    out = []
    for n in range(first + count):
        ok, bgr = capture.read()
        assert ok, f"{path} has only {n} frames"
        if n >= first:
            half = bgr[:, : bgr.shape[1] // 2] if bgr.shape[1] == 2 * bgr.shape[0] else bgr
            out.append(cv2.cvtColor(cv2.resize(half, (size, size), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB))
    return np.stack(out)


def images(frames: Iterable[ByteArray]) -> list[Sample]:
    """As the tracker takes them, by number."""
    return [Sample(f.astype(np.float32) / 255, f.astype(np.float32) / 255) for f in frames]


def shown(
    sample: Sample, keys: Iterable[Key], prompts: Mapping[Key, Prompt] | None = None, anchors: Collection[Key] = ()
) -> dict[Key, WindowImage]:
    """Windows equal to the whole frame for everybody in ``keys``."""
    prompts = prompts or {}
    window = Window(WHOLE.direction, WHOLE.fov_degrees, 0.0, sample.rgb.shape[0])
    return {k: WindowImage(sample, window, (), prompts.get(k), k in anchors) for k in keys}


class Reference:
    """`SAM2VideoPredictor` over frames in memory."""

    def __init__(self, network: Sam2Network, frames: ByteArray, folder: Path | str) -> None:
        from sam2.build_sam import build_sam2_video_predictor

        with contextlib.redirect_stdout(io.StringIO()):
            self.predictor = build_sam2_video_predictor(
                CONFIGS[network.name], device="cpu", hydra_overrides_extra=[f"++model.image_size={network.size}"]
            )
        self.predictor.load_state_dict(network.model.state_dict())
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        # only the number and the size of the files are used; the pixels are put in below, without JPEG's loss
        for n, frame in enumerate(frames):
            cv2.imwrite(str(folder / f"{n}.jpg"), frame)
        warnings.simplefilter("ignore")
        with contextlib.redirect_stderr(io.StringIO()):
            self.state = self.predictor.init_state(str(folder))
        x = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255
        mean, std = torch.tensor((0.485, 0.456, 0.406))[:, None, None], torch.tensor((0.229, 0.224, 0.225))[:, None, None]
        self.state["images"] = (x - mean) / std
        self.state["cached_features"].clear()

    def prompt(self, frame: int, person: int, prompt: Prompt) -> None:
        if prompt.mask is not None:
            self.predictor.add_new_mask(self.state, frame, person, torch.from_numpy(prompt.mask))
            return
        points = [p[:2] for p in prompt.points] or None
        labels = [p[2] for p in prompt.points] or None
        self.predictor.add_new_points_or_box(self.state, frame, person, points=points, labels=labels, box=prompt.box)

    def run(self, first: int, last: int) -> Iterator[tuple[int, dict[int, npt.NDArray[np.float32]]]]:
        """Yields (frame, {person: logits}) for first..last, both included."""
        with contextlib.redirect_stderr(io.StringIO()):
            for n, people, masks in self.predictor.propagate_in_video(self.state, first, last - first):
                yield n, {p: masks[i, 0].numpy() for i, p in enumerate(people)}
