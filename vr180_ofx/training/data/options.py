"""What chance does to samples, as recipes say it. Each share is the part of samples that it happens to; 0 is never.

Strengths are those of cameras and codecs, said beside each; none was tuned on a data set.
"""

from __future__ import annotations

import io
from typing import Annotated, Literal

import av
import numpy as np
from annotated_types import Ge, Le

from vr180_ofx.arrays import Array
from vr180_ofx.settings.traits import Section
from vr180_ofx.training.contract import Sample

Share = Annotated[float, Ge(0), Le(1)]


class Compression(Section):
    """share: of samples whose picture went through H.264. crf: its quality, drawn from here: 18 is hardly seen, 40 is a bad web stream."""

    share: Share = 0.0
    crf: tuple[Annotated[int, Ge(0), Le(51)], Annotated[int, Ge(0), Le(51)]] = (20, 38)

    def applied(self, sample: Sample, random: np.random.Generator) -> Sample:
        """The sample's picture as a codec gives it back; the truth stays."""
        # drawn in any case: what follows must not depend on the share
        chance, crf = random.random(), int(random.integers(min(self.crf), max(self.crf) + 1))
        return {**sample, "source": through_h264(sample["source"], crf)} if chance < self.share else sample


class Augmentation(Section):
    """What happens on the device.

    motion: moves, turns and zooms in time, as a camera in a hand. apart: the background moves by itself, where both are known. colour:
    exposure, white, contrast, saturation. relight: the person is lit otherwise than what is behind. noise, jpeg, blur (of the lens, or of
    motion), occluders (something in front), shadows (of the person, on what is behind). stereo: adds what the other eye sees,
    "source_right" and "alpha_right". light: where layers are mixed: linear, as in a lens, or display, as most data sets were made.
    """

    motion: Share = 0.6
    apart: Share = 0.5
    colour: Share = 0.8
    relight: Share = 0.3
    noise: Share = 0.4
    jpeg: Share = 0.3
    blur: Share = 0.15
    occluders: Share = 0.1
    shadows: Share = 0.3
    stereo: bool = False
    light: Literal["linear", "display"] = "linear"

    @classmethod
    def nothing(cls) -> Augmentation:
        """Samples as they are."""
        return cls(motion=0, apart=0, colour=0, relight=0, noise=0, jpeg=0, blur=0, occluders=0, shadows=0)


def through_h264(pictures: Array, crf: int) -> Array:
    """(T, h, w, 3) uint8 with even sides, encoded and decoded."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": str(crf), "preset": "veryfast", "threads": "1"})
        stream.height, stream.width = pictures.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace="itu709")))
        container.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer, "r") as reader:
        frames = [f.reformat(format="rgb24", src_colorspace="itu709").to_ndarray() for f in reader.decode(video=0)]
    return np.stack(frames).astype(np.uint8)
