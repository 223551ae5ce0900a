"""What RGB in EXR files means: light, computed here once more from the standards, and mixed by OpenImageIO."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import OpenEXR
import OpenImageIO as oiio
import pytest

from tests.blender import COMPOSITOR, run_in_blender
from tests.output.conftest import CLIP, H, W
from vr180_ofx.engine.frame import Frame, Layer, ViewMatte
from vr180_ofx.errors import ColourError, SettingsError
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.colour import ocio_config
from vr180_ofx.media.contract import ColourTags, SourceFrame
from vr180_ofx.media.open import open_clip
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.output.colorspace import CHROMATICITIES, conversion
from vr180_ofx.output.exr import ExrWriter
from vr180_ofx.settings import OutputSettings, Settings

GREY = 0.18
VIEWS = ("left", "right")
SOFT = ViewMatte(W, H, (Layer(1, "person01", Rect(8, 4, 88, 60), *(np.tile(np.linspace(0, 1, 80, dtype=np.float16), (56, 1)),) * 2),))
HARD = ViewMatte(W, H, (Layer(1, "person01", Rect(8, 4, 88, 60), *(np.ones((56, 80), np.float16),) * 2),))


def light_of_codes(codes):
    """Linear light of 10-bit Y'CbCr of BT.709, narrow range, (..., 3): Recommendation ITU-R BT.709-6, items 1.2, 3.2, 3.3 and 4.6."""
    y = (codes[..., 0] - 64) / 876
    cb, cr = (codes[..., 1] - 512) / 896, (codes[..., 2] - 512) / 896
    r, b = y + 1.5748 * cr, y + 1.8556 * cb
    g = (y - 0.2126 * r - 0.0722 * b) / 0.7152
    v = np.clip(np.stack([r, g, b], -1), 0, 1)
    return np.where(v < 0.081, v / 4.5, ((v + 0.099) / 1.099) ** (1 / 0.45))


def shown(light):
    """As BT.709 encodes it: differences here are what is seen."""
    light = np.clip(light, 0, None)
    return np.where(light < 0.018, 4.5 * light, 1.099 * light**0.45 - 0.099)


def video(path, frames):
    """Frames of 10-bit 4:4:4 codes, (h, w, 3), as a lossless file that says that it is BT.709."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv444p10le"
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = context.color_range = 1
        for n, codes in enumerate(frames):
            frame = av.VideoFrame(codes.shape[1], codes.shape[0], "yuv444p10le")
            for plane, values in zip(frame.planes, codes.transpose(2, 0, 1), strict=True):
                rows = np.zeros((codes.shape[0], plane.line_size // 2), "<u2")
                rows[:, : codes.shape[1]] = values
                plane.update(rows.tobytes())
            frame.pts, frame.time_base = n, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def over_grey(path, part, *, premultiplied):
    """(light (h, w, 3), alpha) of the file's picture over a grey card, composited by OpenImageIO as any compositor does it."""
    whole = oiio.ImageBuf(str(path), part, 0)
    picture = oiio.ImageBufAlgo.channels(whole, ("R", "G", "B", "A"))
    picture.specmod().alpha_channel = 3
    if not premultiplied:
        picture = oiio.ImageBufAlgo.premult(picture)
    card = oiio.ImageBufAlgo.fill(
        (GREY, GREY, GREY, 1.0), oiio.ROI(0, picture.spec().full_width, 0, picture.spec().full_height, 0, 1, 0, 4)
    )
    out = oiio.ImageBufAlgo.over(picture, card)
    assert not out.has_error, out.geterror()
    return pixels_of(out)[..., :3], pixels_of(picture)[..., 3]


def pixels_of(image, kind="float"):
    """(h, w, channels) of an image of OpenImageIO's."""
    pixels = image.get_pixels(kind)
    assert pixels is not None, image.geterror()
    return pixels


@pytest.fixture(scope="module")
def plates(tmp_path_factory):
    """(a video, its frames' codes): twelve plain colours, one for each eye, and noise."""
    rng = np.random.default_rng(3)
    plain = [[64, 512, 512], [70, 515, 509], [100, 500, 530], [940, 512, 512], [502, 512, 512], [250, 448, 800], [300, 700, 400],
             [690, 300, 560], [800, 540, 460], [150, 512, 512], [400, 600, 600], [600, 420, 450]]  # fmt: skip
    frames = [np.hstack([np.broadcast_to(c, (H, W, 3)) for c in plain[k : k + 2]]) for k in range(0, 12, 2)]
    frames.append(np.stack([rng.integers(64, 941, (H, 2 * W)), *rng.integers(400, 620, (2, H, 2 * W))], -1))
    return video(tmp_path_factory.mktemp("plate") / "plate_LR_180.mkv", frames), frames


def rendered(plates, folder, **output):
    """(file, matte, codes) of each frame: plain colours behind a ramp of alpha, noise behind a hard edge. output: settings."""
    path, frames = plates
    settings = Settings(output=output)
    writer = ExrWriter(CLIP, settings.output)
    with open_clip(path, settings) as clip:
        assert clip.describe()["colour"] == "matrix bt709, limited range, transfer bt709, primaries bt709"
        for n, codes in enumerate(frames):
            matte = HARD if n == len(frames) - 1 else SOFT
            (file,) = writer.write(folder / "shot", n, Frame(n, dict.fromkeys(VIEWS, matte), {}), clip.frame(n))
            yield file, matte, codes


def held_against_the_standard(found, matte, codes):
    """Raises AssertionError where a composite over grey, (h, w, 3) light, is further than 1/255 from the truth, as light or as shown."""
    light, alpha = light_of_codes(codes.astype(np.float64)), matte.alpha[..., None]
    truth = light * alpha + GREY * (1 - alpha)
    assert np.abs(found - truth).max() <= 1 / 255 and np.abs(shown(found) - shown(truth)).max() <= 1 / 255


@pytest.mark.parametrize("mode", ["foreground", "premultiplied"])
def test_a_rec_709_plate_over_a_grey_card_is_what_the_standard_says(tmp_path, plates, mode):
    """What is in front is known wherever alpha is: all of the plate is of one colour, or the edge is hard."""
    for file, matte, codes in rendered(plates, tmp_path, rgb=mode, exr_preset="nuke"):
        for part in (0, 1):
            found, alpha = over_grey(file, part, premultiplied=mode == "premultiplied")
            assert np.array_equal(alpha, matte.alpha)
            held_against_the_standard(found, matte, codes[:, W * part : W * (part + 1)])


SCRIPT = (
    COMPOSITOR
    + """
picture, over, card, out = (tree.nodes.new('CompositorNode' + n) for n in ('Image', 'AlphaOver', 'RGB', 'Composite'))
card.outputs[0].default_value = (GREY, GREY, GREY, 1)
tree.links.new(card.outputs[0], over.inputs[1])
tree.links.new(over.outputs[0], out.inputs[0])
for path in sys.argv[1:]:
    picture.image = bpy.data.images.load(path)
    assert picture.image.colorspace_settings.name == 'Linear Rec.709', picture.image.colorspace_settings.name
    tree.links.new(picture.outputs['Combined'], over.inputs[2])
    scene.render.filepath = path + '.over.exr'
    bpy.ops.render.render(write_still=True)
"""
)


@pytest.mark.slow
def test_blender_composites_it_as_the_standard_says(tmp_path, plates):
    made = list(rendered(plates, tmp_path, rgb="premultiplied", exr_preset="blender"))
    script = SCRIPT.replace("GREY", str(GREY)).replace("WIDTH", str(W)).replace("HEIGHT", str(H))
    done = run_in_blender(script, *(str(file) for file, _, _ in made))
    for file, matte, codes in made:
        over = Path(f"{file}.over.exr")
        assert over.exists(), done.stdout[-2000:] + done.stderr[-2000:]
        held_against_the_standard(pixels_of(oiio.ImageBuf(str(over)))[..., :3], matte, codes[:, :W])


def encoded(light):
    """The plate of a BT.709 camera, RGB of 16 bits."""
    return np.round(np.clip(shown(light), 0, 1) * 65535).astype(np.uint16)


def source(pixels, tags):
    return SourceFrame(0, 0, dict.fromkeys(VIEWS, RgbEye(pixels, (0, 0), W, H, None, tags)))


CAMERA = ColourTags("rgb", True, "bt709")


def written(tmp_path, pixels, tags, matte=SOFT, **output) -> tuple[Any, Any]:
    """(R, G, B of the left eye (h, w, 3), what OpenImageIO says of the file). output: settings."""
    writer = ExrWriter(CLIP, OutputSettings(**{"rgb": "foreground"} | output))
    (path,) = writer.write(tmp_path / "shot", 1, Frame(0, dict.fromkeys(VIEWS, matte), {}), source(pixels, tags))
    image = oiio.ImageBuf(str(path))
    return pixels_of(oiio.ImageBufAlgo.channels(image, ("R", "G", "B"))), image.spec()


def light_of_rgb(v):
    """BT.709-6, item 1.2, backwards. v: 0..1."""
    v = np.clip(v, 0, 1)
    return np.where(v < 0.081, v / 4.5, ((v + 0.099) / 1.099) ** (1 / 0.45))


def scene(rng):
    """(what is in front, what is behind, alpha) in light: smooth textures of any brightness, an edge of 2 to 16 pixels."""
    textures = []
    for _ in range(2):
        noise = cv2.GaussianBlur(rng.standard_normal((H, W, 3)), (0, 0), rng.uniform(3, 15))
        textures.append(np.clip(rng.uniform(0.1, 1, 3) ** 2 * np.exp(0.4 * noise / noise.std()), 0, 1))
    edge = np.clip((np.hypot(*np.mgrid[-H // 2 : H // 2, -W // 2 : W // 2]) - 20) / -rng.uniform(2, 16) + 0.5, 0, 1)
    return *textures, edge.astype(np.float16)


def test_colours_are_unmixed_and_multiplied_in_light(tmp_path):
    """Mixed by a lens and encoded by a camera: what is made in light is nearer to the truth, over grey, than what is made of numbers."""
    rng = np.random.default_rng(0)
    off: dict[str, list[float]] = {"light": [], "unmixed in numbers": [], "multiplied in numbers": []}
    for _ in range(12):
        front, back, edge = scene(rng)
        a = edge.astype(np.float32)[..., None]
        plate = encoded(a * front + (1 - a) * back)
        matte = ViewMatte(W, H, (Layer(1, "person01", Rect(0, 0, W, H), edge, edge),))
        numbers, _ = written(tmp_path, plate, CAMERA, matte, colorspace="as_source")
        some = (a[..., 0] > 0.05) & (a[..., 0] < 0.95)
        for name, rgb in (
            ("light", written(tmp_path, plate, CAMERA, matte, rgb="premultiplied")[0]),
            ("unmixed in numbers", light_of_rgb(numbers) * a),
            (
                "multiplied in numbers",
                light_of_rgb(written(tmp_path, plate, CAMERA, matte, rgb="premultiplied", colorspace="as_source")[0]),
            ),
        ):
            off[name].append(float(np.abs(shown(rgb + GREY * (1 - a)) - shown(a * front + GREY * (1 - a)))[some].mean()))
    means = {name: np.mean(values) for name, values in off.items()}
    assert means["light"] < means["unmixed in numbers"] and means["light"] < 0.5 * means["multiplied in numbers"], means


HDR = ColourTags("rgb", True, "pq", "bt2020")


def test_other_transfers_are_decoded_as_their_standards_say(tmp_path):
    """Against values that the standards and OpenColorIO name, on plates of plain colours."""
    at = (H // 2, W // 2)

    def solid(v):
        return np.full((H, W, 3), round(v * 65535), np.uint16)

    def of(pixels, tags, **output):
        return written(tmp_path, pixels, tags, HARD, **output)[0][at]

    # BT.2408: reference white is 58 % of PQ (203 cd/m²) and 75 % of HLG, whose black is 0 and whose peak is 1 / 0.26496 of it
    assert np.allclose(of(solid(0.5807), HDR), 1, atol=2e-3)
    # ST 2084: full scale is 10000 cd/m²
    assert np.allclose(of(solid(1.0), HDR), 10000 / 203, rtol=1e-3)
    hlg = replace(HDR, transfer="hlg")
    assert np.allclose(of(solid(0.75), hlg), 1, atol=1e-3) and np.allclose(of(solid(1.0), hlg), 1 / 0.26496, rtol=2e-3)
    # IEC 61966-2-1: 50 % is 0.21404
    assert np.allclose(of(solid(0.5), replace(CAMERA, transfer="srgb")), 0.21404, atol=2e-4)
    assert np.allclose(of(solid(0.5), replace(CAMERA, transfer="gamma22")), 0.5**2.2, atol=2e-4)
    # BT.2087: pure red of BT.2020 in BT.709
    red = solid(0)
    red[..., 0] = 65535
    assert np.allclose(of(red, replace(HDR, transfer="bt709")), [1.6605, -0.1246, -0.0182], atol=1e-3)


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        (CAMERA, "Camera Rec.709"),
        (replace(CAMERA, transfer="srgb"), "sRGB Encoded Rec.709 (sRGB)"),
        (replace(CAMERA, transfer="gamma22"), "g22_rec709"),
    ],
)
@pytest.mark.parametrize("wanted", ["ACEScg", "Linear Rec.2020", "ARRI LogC4", "sRGB Encoded Rec.709 (sRGB)"])
def test_names_of_opencolorio_mean_what_it_says(tmp_path, tags, name, wanted):
    """Where OpenColorIO has a name for the plate, the file holds what it makes of it."""
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 65536, (H, W, 3)).astype(np.uint16)
    found, _ = written(tmp_path, pixels, tags, HARD, colorspace=wanted)
    expected = (pixels / 65535).astype(np.float32)
    ocio_config().getProcessor(name, wanted).getDefaultCPUProcessor().applyRGB(expected)
    rows, columns = HARD.layers[0].rect.slices
    assert np.allclose(found[rows, columns], expected[rows, columns], rtol=2e-3, atol=1e-3)
    assert not found[:4].any()


def test_headers_say_what_the_colour_is(tmp_path):
    pixels = np.full((H, W, 3), 30000, np.uint16)
    for output, tags, interop, xy in (
        ({}, CAMERA, "lin_rec709_scene", CHROMATICITIES["lin_rec709_scene"]),
        ({}, HDR, "lin_rec709_scene", CHROMATICITIES["lin_rec709_scene"]),
        ({"colorspace": "ACEScg"}, CAMERA, "lin_ap1_scene", CHROMATICITIES["lin_ap1_scene"]),
        ({"colorspace": "aces2065_1"}, CAMERA, "lin_ap0_scene", CHROMATICITIES["lin_ap0_scene"]),
        ({"colorspace": "ARRI LogC4"}, CAMERA, "ocio:arrilogc4_awg4_scene", None),
        ({"colorspace": "as_source"}, CAMERA, "ocio:itu709_rec709_scene", None),
        ({"colorspace": "as_source"}, HDR, "pq_rec2020_display", None),
        ({"colorspace": "as_source"}, replace(HDR, transfer="gamma28"), None, None),
        ({"rgb": "none"}, CAMERA, "data", None),
        ({"rgb": "none", "exr_preset": "nuke"}, CAMERA, "data", None),
    ):  # fmt: skip
        _, spec = written(tmp_path, pixels, tags, **({"exr_preset": "nuke"} | output))
        assert spec.getattribute("colorInteropID") == interop, (output, tags)
        found = spec.getattribute("chromaticities")
        assert found is None if xy is None else np.allclose(found, xy), (output, tags)
        assert spec.getattribute("vr180ofx:colour")
        # what OpenImageIO takes the file for
        if interop is not None and interop != "data":
            assert ocio_config().getColorSpace(spec.getattribute("oiio:ColorSpace")).getInteropID() == interop
    _, spec = written(tmp_path, pixels, CAMERA, rgb="premultiplied")
    assert spec.getattribute("vr180ofx:rgb") == "premultiplied"
    assert "inverse of the OETF of ITU-R BT.709" in spec.getattribute("vr180ofx:colour")


@pytest.mark.parametrize(
    ("attributes", "interop", "xy"),
    [
        ({}, None, None),
        ({"chromaticities": CHROMATICITIES["lin_ap1_scene"]}, "lin_ap1_scene", CHROMATICITIES["lin_ap1_scene"]),
        ({"chromaticities": (0.7, 0.3, 0.2, 0.8, 0.1, 0.05, 0.31, 0.33)}, None, (0.7, 0.3, 0.2, 0.8, 0.1, 0.05, 0.31, 0.33)),
        ({"colorInteropID": "lin_rec2020_scene"}, "lin_rec2020_scene", CHROMATICITIES["lin_rec2020_scene"]),
        ({"colorInteropID": "studio:own-light"}, "studio:own-light", None),
    ],
)
def test_light_stays_what_it_is_and_what_it_is_called(tmp_path, attributes, interop, xy):
    """A plate of EXR files: the same values come out, with what its header says and nothing that it does not say."""
    light = np.random.default_rng(2).uniform(0, 4, (H, 2 * W, 3)).astype(np.float16)
    header: dict[str, Any] = {"compression": OpenEXR.ZIPS_COMPRESSION, "type": OpenEXR.scanlineimage} | attributes
    path = tmp_path / "light_LR_180.0001.exr"
    OpenEXR.File(header, {c: np.ascontiguousarray(light[..., k]) for k, c in enumerate("RGB")}).write(str(path))
    settings = Settings(output={"rgb": "foreground"})
    with open_clip(path, settings) as clip:
        (file,) = ExrWriter(CLIP, settings.output).write(tmp_path / "out", 1, Frame(0, dict.fromkeys(VIEWS, HARD), {}), clip.frame(0))
    image = oiio.ImageBuf(str(file))
    rows, columns = HARD.layers[0].rect.slices
    assert np.array_equal(pixels_of(oiio.ImageBufAlgo.channels(image, ("R", "G", "B")), "half")[rows, columns], light[rows, columns])
    assert image.spec().getattribute("colorInteropID") == interop
    found = image.spec().getattribute("chromaticities")
    assert found is None if xy is None else np.allclose(found, xy)


def test_what_cannot_be_is_refused_before_anything_is_written():
    with pytest.raises(ColourError, match=r"output.colorspace is 'ACESgc'.*scene_linear, as_source and \d+ names such as .*ACEScg"):
        ExrWriter(CLIP, OutputSettings(rgb="foreground", colorspace="ACESgc"))
    with pytest.raises(SettingsError, match="which is for data"):
        ExrWriter(CLIP, OutputSettings(colorspace="Raw"))
    with pytest.raises(
        SettingsError, match=r"output.rgb is premultiplied and output.colorspace 'ARRI LogC4', which is not linear.*foreground"
    ):
        ExrWriter(CLIP, OutputSettings(rgb="premultiplied", colorspace="ARRI LogC4"))


def test_our_own_words_are_ours_in_any_letters(tmp_path):
    """OpenColorIO has a role scene_linear, which is ACEScg, and looks names up in any letters."""
    assert ocio_config().getColorSpace("Scene_Linear").getName() == "ACEScg"
    _, spec = written(tmp_path, np.full((H, W, 3), 30000, np.uint16), CAMERA, colorspace=" Scene_Linear ")
    assert spec.getattribute("colorInteropID") == "lin_rec709_scene"
    assert OutputSettings(colorspace="AS_SOURCE").colorspace == "as_source"


def test_floats_beyond_one_keep_their_light(tmp_path):
    """A display-referred plate of floats: a table holds 0..1, and more is computed."""
    pixels = np.full((H, W, 3), 1.2, np.float32)
    pixels[: H // 2] = 0.5
    rgb, _ = written(tmp_path, pixels, replace(CAMERA, transfer="srgb"), HARD)
    assert np.allclose(rgb[-10, 40], ((1.2 + 0.055) / 1.055) ** 2.4, rtol=1e-3) and np.allclose(rgb[10, 40], 0.21404, atol=2e-4)


def test_a_table_is_as_good_as_the_formula():
    """Of every 10-bit code, and of what lies between."""
    v = np.linspace(0, 1, 4093, dtype=np.float32).reshape(1, -1, 1).repeat(3, -1)
    for transfer in ("bt709", "srgb", "gamma22", "gamma28", "pq", "hlg"):
        way = conversion(ColourTags("rgb", True, transfer), "scene_linear")
        assert way.to_light is not None
        found = way.to_light(v)
        # a value above 1 makes the formula be used
        formula = way.to_light(np.concatenate([v, np.full((1, 1, 3), 1.5, np.float32)], 1))[:, :-1]
        assert np.all(np.diff(found[0, :, 0]) >= 0)
        # halves are as coarse
        assert np.all(np.abs(found - formula) <= formula * 2**-10 + 2e-6), transfer
