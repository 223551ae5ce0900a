"""Files of Cryptomatte, read by a decoder that was written here from the specification (Psyop, version 1.2.0), and by others'."""

import importlib.util
import json
import re
import struct
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import OpenEXR
import OpenImageIO as oiio
import pytest

from tests.blender import COMPOSITOR, run_in_blender
from tests.cli.conftest import cli
from tests.conftest import with_settings
from tests.output.conftest import CLIP, FRAME, H, W
from vr180_ofx.engine.frame import Frame, Layer, ViewMatte
from vr180_ofx.errors import OutputError, SettingsError
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.open import open_clip
from vr180_ofx.output import cryptomatte as c
from vr180_ofx.output.exr import ExrClip, ExrWriter
from vr180_ofx.output.inspect import check_exr, inspect_image
from vr180_ofx.quality.truth import find_prediction
from vr180_ofx.rendering.render import render
from vr180_ofx.settings import OutputSettings, Settings
from vr180_ofx.vr180.layout import Layout


def decoded(path):
    """name -> matte (h, w), and all ids that are in the pixels, of a file's one Cryptomatte: sections 1 and 2 of the specification."""
    source = oiio.ImageInput.open(str(path))
    assert source is not None, oiio.geterror()
    spec = source.spec()
    facts: dict[str, dict[str, str]] = {}
    for a in spec.extra_attribs:
        match = re.fullmatch(r"cryptomatte/([^/]{1,7})/(\w+)", a.name)
        if match:
            facts.setdefault(match[1], {})[match[2]] = str(a.value)
    ((_, facts_of_one),) = facts.items()
    assert facts_of_one["hash"] == "MurmurHash3_32" and facts_of_one["conversion"] == "uint32_to_float32"
    pixels = np.asarray(source.read_image("float"))
    names = list(spec.channelnames)
    kinds = dict(zip(names, spec.channelformats or [spec.format] * len(names), strict=True))
    layers = sorted({n.rpartition(".")[0] for n in names if re.fullmatch(rf"{facts_of_one['name']}\d\d\.[RGBA]", n)})
    assert layers and all(str(kinds[f"{layer}.{x}"]) == "float" for layer in layers for x in "RGBA")
    out, every = {}, set()
    for name, digits in json.loads(facts_of_one["manifest"]).items():
        (number,) = struct.unpack("<f", struct.pack("<I", int(digits, 16)))
        matte = np.zeros(pixels.shape[:2], np.float32)
        for layer in layers:
            for who, share in ("RG", "BA"):
                ids, coverage = (pixels[..., names.index(f"{layer}.{x}")] for x in (who, share))
                matte += np.where(ids == np.float32(number), coverage, 0)
                every |= set(np.unique(ids).tolist())
                assert not coverage[ids == 0].any()
        out[name] = matte
    return out, every


def write(folder, frame=FRAME, clip=CLIP, **output):
    writer = ExrWriter(clip, OutputSettings(**{"cryptomatte": True} | output))
    return writer, writer.write(folder / "shot", 42, frame, None)


def test_the_hash_is_smhashers():
    """By the verification value of SMHasher's own test, and the two names that the specification gives."""
    hashes = b"".join(struct.pack("<I", c.hash32(bytes(range(n)), 256 - n)) for n in range(256))
    assert c.hash32(hashes) == 0xB0F57EE3
    assert c.hash32(b"torus") == 4053562365 and c.hash32("равнина".encode()) == 2518896926
    assert c.float_id(4053562365) == pytest.approx(-1.54943624832e30, rel=1e-9)
    assert c.float_id(2518896926) == pytest.approx(-1.31926312124e-25, rel=1e-9)


@pytest.mark.parametrize("number", [0, 1, 0x80000000, 0x7F800000, 0xFF800001, 0x7FFFFFFF, 0x007FFFFF])
def test_ids_are_numbers_that_survive(number):
    """No zero, no denormal that a processor flushes, no infinity, no NaN."""
    value = np.float32(c.float_id(number))
    assert np.isfinite(value) and abs(value) >= np.finfo(np.float32).tiny
    assert bin(int(value.view(np.uint32)) ^ number).count("1") == 1


def test_each_person_comes_back_in_each_eye(tmp_path):
    _, paths = write(tmp_path)
    assert [p.name for p in paths] == ["shot.0042.exr", "shot_crypto_left.0042.exr", "shot_crypto_right.0042.exr"]
    for path, view in zip(paths[1:], ("left", "right"), strict=True):
        mattes, every = decoded(path)
        assert list(mattes) == ["person01", "Ada", "Bob"]
        matte = FRAME.views[view]
        assert np.array_equal(mattes["person01"], matte.person(1)) and np.array_equal(mattes["Ada"], matte.person(2))
        assert not mattes["Bob"].any() and len(every) == 3 and 0 in every
        with OpenEXR.File(str(path), separate_channels=True) as f:
            (part,) = f.parts
            assert part.header["view"] == view and "multiView" not in part.header and part.header["colorInteropID"] == "data"
            assert part.header["compression"] == OpenEXR.ZIPS_COMPRESSION
            # a main image, for programs that open nothing else
            assert np.array_equal(part.channels["R"].pixels, matte.alpha_half()) and part.channels["R"].pixels.dtype == np.float16
        assert check_exr(path, "abc")


@pytest.mark.parametrize("output", [{"compression": "dwab"}, {"exr_preset": "resolve"}, {"exr_preset": "nuke"}, {"exr_preset": "blender"}])
def test_whatever_the_other_files_are_ids_are_whole(tmp_path, output):
    for path in write(tmp_path, **output)[1][-2:]:
        mattes, _ = decoded(path)
        assert np.array_equal(mattes["Ada"], FRAME.views["left" if "left" in path.name else "right"].person(2))


def test_one_picture_for_both_eyes_and_one_eye(tmp_path):
    _, paths = write(tmp_path, clip=replace(CLIP, layout=Layout("sbs", 2 * W, H)), exr_layout="whole")
    assert [p.name for p in paths] == ["shot.0042.exr", "shot_crypto.0042.exr"]
    expected = np.hstack([FRAME.views[v].person(1) for v in ("left", "right")])
    assert np.array_equal(decoded(paths[1])[0]["person01"], expected)
    mono = Frame(0, {"main": FRAME.views["left"]}, {})
    _, paths = write(tmp_path / "mono", mono, replace(CLIP, views=("main",)))
    assert [p.name for p in paths] == ["shot.0042.exr", "shot_crypto.0042.exr"]
    assert np.array_equal(decoded(paths[1])[0]["Ada"], FRAME.views["left"].person(2))


def crowd(people, rng):
    """A frame of people who overlap in many places, whose alphas add up to at most 1, as the engine's do."""
    shares = rng.random((people + 1, 40, 60)) ** 3
    shares *= rng.random(shares.shape) < 0.7
    for k in range(people + 1):
        # each has a rectangle of their own
        shares[k, :k] = 0
    shares[0] += 1e-3
    shares /= shares.sum(axis=0)
    layers = tuple(
        Layer(k, f"p{k}", Rect(10, 5 + k, 70, 45), shares[k, k:].astype(np.float16), np.ones((40 - k, 60), np.float16))
        for k in range(1, people + 1)
    )
    made = ViewMatte(W, H, layers)
    assert 0.9 < np.sum([made.person(k) for k in range(1, people + 1)], axis=0).max() <= 1.001
    names = tuple((k, f"p{k}") for k in range(1, people + 1))
    return Frame(7, {"main": made}, {}), ExrClip(Fraction(25), None, ("main",), names, "flat", None)


@pytest.mark.parametrize(("people", "levels"), [(2, 2), (4, 4), (6, 6), (7, 16)])
def test_a_crowd_fits_into_as_many_levels(tmp_path, people, levels):
    frame, clip = crowd(people, np.random.default_rng(people))
    writer, paths = write(tmp_path, frame, clip, cryptomatte_levels=levels)
    mattes, _ = decoded(paths[1])
    for k in range(1, people + 1):
        # halves that add up to more than 1 by their rounding are scaled to it
        assert np.abs(mattes[f"p{k}"] - frame.views["main"].person(k)).max() <= 1e-3
    assert np.sum([*mattes.values()], axis=0).max() <= 1 + 1e-6 and not writer.dropped
    (found,) = inspect_image(paths[1])["parts"][0]["cryptomatte"]
    assert found == {"name": "CryptoPerson", "levels": levels, "names": [f"p{k}" for k in range(1, people + 1)]}


def test_ranks_fall_and_what_does_not_fit_is_known(tmp_path):
    frame, clip = crowd(6, np.random.default_rng(0))
    ranks = c.ranked(frame.views["main"], c.person_ids(name for _, name in clip.people), 4, 0, H)
    assert np.all(np.diff(ranks.coverage, axis=0) <= 0) and np.all((ranks.ids == 0) == (ranks.coverage == 0))
    alphas = np.stack([frame.views["main"].person(k) for k in range(1, 7)])
    assert np.allclose(ranks.coverage, np.sort(alphas, axis=0)[::-1][:4], atol=1e-3)
    assert ranks.dropped == ((alphas > 0).sum(axis=0) > 4).sum() > 0
    assert ranks.lost == np.sort(alphas, axis=0)[::-1][4].max()
    writer, _ = write(tmp_path, frame, clip)
    assert writer.dropped == {7: (ranks.dropped, ranks.lost)}


def test_an_empty_frame_has_a_manifest_and_nobody(tmp_path):
    empty = Frame(1, {v: ViewMatte(W, H, ()) for v in ("left", "right")}, {})
    for path in write(tmp_path, empty)[1][1:]:
        mattes, every = decoded(path)
        assert list(mattes) == ["person01", "Ada", "Bob"] and every == {0}


def test_names_that_cannot_be_told_apart_are_refused(monkeypatch):
    with (
        monkeypatch.context() as patched,
        pytest.raises(OutputError, match="Ada and Bob have the same id in Cryptomatte, by chance; rename"),
    ):
        patched.setattr(c, "hash32", lambda data, seed=0: 5)
        c.person_ids(["Ada", "Bob"])
    assert len(set(c.person_ids(["Ada", "Bob", "Ada"]).values())) == 2


def test_other_formats_have_no_ids():
    with pytest.raises(SettingsError, match="output.cryptomatte is true and output.format alpha; ids fit into EXR files alone"):
        Settings(output={"cryptomatte": True, "format": "alpha"})


def test_a_render_resumes_is_inspected_and_measured(tmp_path, capsys, planned):
    clip, plan = planned
    out = tmp_path / "out"
    with with_settings(clip, input={"frames": "1-2"}, output={"cryptomatte": True}) as some:
        first = render(some, plan, output=out)
        assert first.written == 2 and not first.warnings
        (lost,) = out.glob("*_crypto_right.0002.exr")
        kept = lost.read_bytes()
        lost.write_bytes(kept[: len(kept) // 2])
        again = render(some, plan, output=out)
        assert (again.kept, again.written) == (1, 1) and lost.read_bytes() == kept
    status, printed, _ = cli(capsys, "inspect", str(out), "--json")
    patterns = {s["pattern"]: s for s in json.loads(printed)["sequences"]}
    assert status == 0 and len(patterns) == 3
    names = [p.name for p in plan.active]
    assert patterns[f"{clip.name}_crypto_left.#.exr"]["first"]["parts"][0]["cryptomatte"] == [
        {"name": "CryptoPerson", "levels": 4, "names": names}
    ]
    assert f"Cryptomatte CryptoPerson, 4 levels: {', '.join(names)}" in " ".join(cli(capsys, "inspect", str(out))[1].split())
    # ids are nobody's matte to whoever measures a folder
    views = find_prediction(out).read(1)
    mattes = decoded(out / f"{clip.name}_crypto_left.0001.exr")[0]
    assert set(views["left"]) == {"", *names}
    assert all(np.array_equal(views["left"][n], mattes[n]) for n in names) and mattes[names[0]].max() > 0.5


@pytest.fixture(scope="module")
def planned(people_clip):
    from vr180_ofx.engine.plans import find_plan

    with open_clip(people_clip) as clip:
        yield clip, find_plan(clip, clip.settings)


@pytest.mark.slow
def test_another_reader_finds_the_same(tmp_path):
    """cryptomatte-api, a reader in C++ that validates files by the specification; in a process of its own, for it brings libraries along."""
    if importlib.util.find_spec("cryptomatte_api") is None:
        pytest.skip("another reader of Cryptomatte is not installed; run: pip install cryptomatte-api")
    frame, clip = crowd(4, np.random.default_rng(1))
    _, paths = write(tmp_path, frame, clip)
    script = "import sys, numpy as np, cryptomatte_api as c; (one,) = c.Cryptomatte.load(sys.argv[1]); np.savez(sys.argv[2], **one.masks())"
    subprocess.run([sys.executable, "-c", script, str(paths[1]), str(tmp_path / "masks.npz")], check=True, timeout=60)
    masks = np.load(tmp_path / "masks.npz")
    assert sorted(masks) == ["p1", "p2", "p3", "p4"]
    assert all(np.array_equal(masks[name], matte) for name, matte in decoded(paths[1])[0].items())


SCRIPT = (
    COMPOSITOR
    + """
node, out = (tree.nodes.new('CompositorNode' + n) for n in ('CryptomatteV2', 'Composite'))
node.source = 'IMAGE'
node.image = bpy.data.images.load(sys.argv[1])
assert node.layer_name == 'CryptoPerson', node.layer_name
tree.links.new(node.outputs['Matte'], out.inputs[0])
for name in sys.argv[2:]:
    node.matte_id = name
    scene.render.filepath = sys.argv[1] + '.' + name + '.exr'
    bpy.ops.render.render(write_still=True)
"""
)


@pytest.mark.slow
def test_blender_picks_people_by_name(tmp_path):
    frame, clip = crowd(4, np.random.default_rng(1))
    _, paths = write(tmp_path, frame, clip)
    mattes, _ = decoded(paths[1])
    script = SCRIPT.replace("WIDTH", str(W)).replace("HEIGHT", str(H))
    done = run_in_blender(script, str(paths[1]), *mattes)
    for name, matte in mattes.items():
        made = Path(f"{paths[1]}.{name}.exr")
        assert made.exists(), done.stdout[-2000:] + done.stderr[-2000:]
        pixels = oiio.ImageBuf(str(made)).get_pixels("float")
        assert pixels is not None and np.allclose(pixels[..., 0], matte, atol=1e-6)
