"""What PNG and video outputs show."""

import numpy as np

from vr180_ofx.engine.frame import Frame, Layer, ViewMatte
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.colour import display_transform
from vr180_ofx.media.contract import ColourTags, SourceFrame
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.output.colour import Foreground
from vr180_ofx.output.pictures import over_colour, rgba
from vr180_ofx.settings import OutputSettings


def test_pictures_show_plates_of_linear_light_as_they_look():
    """PNG and videos are sRGB or BT.709, whatever the plate is: 0.18 of light is a middle grey."""
    light = np.full((32, 32, 3), 0.18, np.float16)
    eye = RgbEye(light, (0, 0), 32, 32, display_transform(ColourTags("rgb", True, "linear", "bt709")))
    one = np.ones((16, 16), np.float16)
    frame = Frame(0, {"main": ViewMatte(32, 32, (Layer(1, "person01", Rect(8, 8, 24, 24), one, one),))})
    source = SourceFrame(0, 0, {"main": eye})
    foreground = Foreground(OutputSettings())
    for picture in (over_colour(frame, source, (0, 255, 0), foreground), rgba(frame, source, foreground), rgba(frame, source, None)):
        assert np.abs(picture["main"][12, 12, :3] - 0.4614).max() < 0.01
