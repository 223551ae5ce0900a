"""Clips with one eye damaged for some frames, as lenses, sensors and paint artists do it."""

from fractions import Fraction

import av
import cv2
import numpy as np

from vr180_ofx.quality.truth import Truth
from vr180_ofx.vr180.projection import Equirectangular


def blurred(picture, people):
    return cv2.GaussianBlur(picture, (0, 0), picture.shape[1] / 1024 * 14)


def darkened(picture, people):
    return (picture * 0.06).astype(np.uint8)


def painted_out(picture, people):
    """Everybody is filled in from around them."""
    small = cv2.resize(picture, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    hole = cv2.dilate((cv2.resize(people, small.shape[1::-1]) > 0.01).astype(np.uint8), np.ones((9, 9)))
    filled = cv2.resize(cv2.inpaint(small, hole, 5, cv2.INPAINT_TELEA), picture.shape[1::-1])
    return np.where(cv2.resize(hole, picture.shape[1::-1], interpolation=cv2.INTER_NEAREST)[..., None] > 0, filled, picture)


def turned(picture, pitch=0.0, yaw=0.0, roll=0.0):
    """What a camera sees when everything is higher, further to the right and turned clockwise, by degrees."""
    size = picture.shape[0]
    projection = Equirectangular(size, size)
    ys, xs = np.mgrid[:size, :size] + 0.5
    x, y, z = np.moveaxis(projection.unproject(np.stack([xs, ys], axis=-1)), -1, 0)
    for degrees, turn in ((pitch, "pitch"), (yaw, "yaw"), (roll, "roll")):
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        if turn == "pitch":
            y, z = c * y - s * z, c * z + s * y
        elif turn == "yaw":
            x, z = c * x - s * z, c * z + s * x
        else:
            x, y = c * x - s * y, c * y + s * x
    places = projection.project(np.stack([x, y, z], axis=-1)).astype(np.float32) - 0.5
    return cv2.remap(picture, places, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


#: Degrees by which the camera of the clip that is turned on purpose is turned.
TURN = {"pitch": 0.5, "yaw": -0.4, "roll": 0.7}
DAMAGES = {"blurred": blurred, "darkened": darkened, "painted_out": painted_out}


def damaged_clip(source, truth_folder, target, damage, view, frames, length=None):
    """Writes ``source`` (or its first ``length`` frames) again, side by side and almost lossless, with one eye damaged in some frames."""
    truth = Truth(truth_folder)
    x = 0 if view == "left" else truth.layout.eye_size[0]
    with av.open(str(source)) as given, av.open(str(target), "w") as made:
        rate = given.streams.video[0].average_rate
        assert rate is not None
        stream = made.add_stream("libx264", rate=Fraction(rate), options={"crf": "8", "preset": "ultrafast"})
        for n, (frame, real) in enumerate(zip(given.decode(video=0), truth.frames(), strict=False)):
            if n == length:
                break
            if n == 0:
                stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p"
                stream.codec_context.colorspace, stream.codec_context.color_range = 1, 1
            picture = frame.to_ndarray(format="bgr24")
            if n in frames:
                eye = picture[:, x : x + truth.layout.eye_size[0]]
                eye[:] = turned(eye.copy(), **TURN) if damage == "turned" else DAMAGES[damage](eye.copy(), real.union(view))
            made.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        made.mux(stream.encode())
    return target
