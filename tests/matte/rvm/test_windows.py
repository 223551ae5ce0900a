"""RVM inside person windows, as a refiner: its memory, who is seen with whom, what eyes owe each other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torchvision", reason="the extra rvm is not installed")
import torch

from tests.conftest import shared_clip
from tests.matte.rvm.networks import TRAINED, damage, needs_trained, random_network
from vr180_ofx.engine.pipeline import Pipeline
from vr180_ofx.engine.plans import analyse
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.errors import FrameError, SettingsError, WeightsError
from vr180_ofx.imaging.either import is_tensor
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.parameters import CROPS, TEMPORAL
from vr180_ofx.matte.rvm.compiled import CompiledRvm
from vr180_ofx.matte.rvm.model import Rvm, load_network
from vr180_ofx.matte.rvm.windows import RvmWindows
from vr180_ofx.media.open import open_clip
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.people.plan import Plan
from vr180_ofx.rendering.render import identity
from vr180_ofx.settings import Settings
from vr180_ofx.trackers.contract import CropSource, Mask, Memory, WindowImage
from vr180_ofx.vr180.projection import Equirectangular
from vr180_ofx.vr180.window import Window


@pytest.fixture(scope="module")
def scene(people_clip, weights):
    """The clip, its plan, settings, and frames 0 to 5 in order."""
    path = TRAINED if TRAINED.exists() else weights
    settings = Settings(matting={"refiner": "rvm", "refiner_weights": str(path), "refiner_size": 128})
    with open_clip(people_clip, settings) as clip:
        plan = analyse(clip)
        with FrameServer(clip, plan, settings) as server:
            yield clip, plan, settings, [server.request(n).result() for n in range(6)]


def test_any_order_gives_the_same_bits(scene, tmp_path):
    """Backwards, from a checkpoint on disk, and after a restart."""
    from vr180_ofx.engine.store import DiskStore

    clip, plan, settings, reference = scene
    store = DiskStore(tmp_path, 1 << 30)
    with FrameServer(clip, plan, settings, store=store, keep_frames=False) as server:
        assert all(server.request(n).result().same(reference[n]) for n in (4, 1, 5, 0))
    with FrameServer(clip, plan, settings, store=DiskStore(tmp_path, 1 << 30), keep_frames=False) as server:
        assert server.request(5).result().same(reference[5])
        assert server.steps < 6


@pytest.mark.slow
def test_any_order_gives_the_same_bits_as_on_a_graphics_card(scene, tmp_path, monkeypatch):
    """Pictures, states and alphas are tensors, batches are filled up and steps replayed: backwards, and from a file."""
    from vr180_ofx.engine.store import DiskStore

    monkeypatch.setenv("VR180_OFX_TENSORS", "1")
    clip, plan, settings, arrays = scene
    with FrameServer(clip, plan, settings) as server:
        reference = [server.request(n).result() for n in range(6)]
    with FrameServer(clip, plan, settings, store=DiskStore(tmp_path, 1 << 30), keep_frames=False) as server:
        assert all(server.request(n).result().same(reference[n]) for n in (4, 1, 5, 0))
    with FrameServer(clip, plan, settings, store=DiskStore(tmp_path, 1 << 30), keep_frames=False) as server:
        assert server.request(5).result().same(reference[5]) and server.steps < 6
    # the same mattes as by OpenVINO and NumPy, by and large; and never taken for those
    for a, b in zip(reference, arrays, strict=True):
        assert not a.same(b)
        for view, matte in a.views.items():
            assert np.abs(matte.alpha - b.views[view].alpha).mean() < 2e-3


def test_people_add_up_to_one_and_say_who_they_are_by(scene):
    _, _, _, reference = scene
    for frame in reference:
        assert "rvm" in frame.metadata["tracker"]
        for view in frame.views.values():
            assert view.layers and sum(view.people.values()).max() <= 1.001
    if TRAINED.exists():
        assert all(p.mean() > 0.01 for view in reference[5].views.values() for p in view.people.values())


@pytest.mark.slow
def test_a_correction_is_felt_from_the_frame_before_on(scene):
    """A frame is steadied by the next one, so it depends on what the plan says of that."""
    clip, plan, settings, _ = scene
    views = json.loads(plan.to_json())["people"][0]["views"]
    at = max(n for n in (int(k) for k in views["left"]) if n <= 8)
    assert at >= 4

    def corrected(**change):
        data = json.loads(plan.to_json())
        data["people"][0]["views"]["left"][str(at)] |= change
        return Plan.from_data(data, clip)

    confirmed = corrected(source="edited")
    x, y = views["left"][str(at)]["hips"]
    moved = corrected(hips=[x + 12, y])
    with FrameServer(clip, moved, settings) as server:
        fresh = [server.request(n).result() for n in range(at + 1)]
    with FrameServer(clip, plan, settings) as server:
        made = [server.request(n).result() for n in range(at + 1)]
        keys = [server.frame_key(n) for n in range(at + 1)]
        server.replace_plan(confirmed)
        assert [n for n in range(at + 1) if server.frame_key(n) != keys[n]] == [at - 1, at]
        server.replace_plan(moved)
        assert all(server.request(n).result().same(fresh[n]) for n in reversed(range(at + 1)))
    assert not made[at].same(fresh[at])


def test_a_next_frame_that_cannot_be_seen_is_done_without(scene, monkeypatch):
    clip, plan, settings, reference = scene
    damage(monkeypatch, 3)
    made = {}
    for order in ((0, 1, 2, 4, 5), (5, 2, 4, 0, 1)):
        with FrameServer(clip, plan, settings) as server:
            made[order] = {n: server.request(n).result() for n in order}
            with pytest.raises(FrameError, match="damaged"):
                server.request(3).result()
    (a, b) = made.values()
    assert all(a[n].same(b[n]) for n in a)
    # only what is next to it is another one, and what begins anew after it
    assert a[0].same(reference[0]) and a[1].same(reference[1]) and not a[2].same(reference[2])


def test_another_memory_is_another_matte(scene):
    """The network remembers: a frame is not the same as the same picture without what came before."""
    clip, plan, settings, reference = scene
    with FrameServer(clip, plan, settings) as server:
        draft = server.request(5, "draft").result()
    assert draft.metadata["quality"] == "draft" and not draft.same(reference[5])


@pytest.fixture
def shown():
    """(windows, masks) of somebody in the middle of a window, of an eye with a picture."""
    eye = RgbEye(np.random.default_rng(0).random((256, 256, 3)).astype(np.float32), (0, 0), 256, 256)
    projection, window = Equirectangular(256, 256), Window((0, 0, 1), 80, 0, 96)
    sample = eye.sample(window.grid(projection))

    def of(*boxes):
        images, masks = {}, {}
        for person, (x0, y0, x1, y1) in enumerate(boxes, start=1):
            logits = np.full((96, 96), -6, np.float32)
            logits[y0:y1, x0:x1] = 6
            images[person, "left"] = WindowImage(sample, window, eye=eye, projection=projection)
            masks[person, "left"] = Mask(logits, 1.0)
        return images, masks

    return of


def test_people_who_are_seen_together_have_one_alpha_and_nobody_has_none(weights, shown):
    network = RvmWindows(CompiledRvm(weights), 64)
    memory, alone = network.step(network.begin(), *shown((40, 30, 56, 70)))
    found = alone[1, "left"]
    assert found.alpha.shape == (found.crop.height, found.crop.width) == found.guide.shape[:2]
    _, pair = network.step(memory, *shown((40, 30, 56, 70), (50, 30, 66, 70)))
    assert pair[1, "left"] is pair[2, "left"] and set(pair[1, "left"].crop.members) == {1, 2}
    memory, none = network.step(memory, *shown((10, 30, 18, 50), (0, 0, 0, 0)))
    assert (2, "left") not in none and not any(name.startswith("2.") for name in memory.arrays)


def test_what_was_seen_ahead_is_not_seen_again(weights, shown, monkeypatch):
    """Neither by the network, nor is its picture taken again; and it is the same without that picture."""
    network = RvmWindows(CompiledRvm(weights), 64)
    images, masks = shown((40, 30, 56, 70))
    coming = images[1, "left"].source
    images[1, "left"] = replace(images[1, "left"], following=lambda: coming)
    memory, first = network.step(network.begin(), images, masks)
    assert memory.arrays["1.left.coming"].shape == memory.arrays["1.left.before"].shape
    elsewhere, expected = RvmWindows(CompiledRvm(weights), 64).step(memory, *shown((40, 30, 56, 70)))
    monkeypatch.setattr(network.network, "step", lambda *_: pytest.fail("the network was asked"))
    monkeypatch.setattr(CropSource, "sample", lambda *_: pytest.fail("a picture was taken"))
    memory, last = network.step(memory, *shown((40, 30, 56, 70)))
    assert last[1, "left"].crop == first[1, "left"].crop and "1.left.coming" not in memory.arrays
    assert memory.digest() == elsewhere.digest() and np.array_equal(last[1, "left"].alpha, expected[1, "left"].alpha)


def test_pictures_that_are_tensors_have_alphas_that_are_tensors(weights, shown):
    """As on a graphics card: the next frame is seen ahead, flow is found beside the network, and memories go on from where they were saved."""
    (images, masks), coming = shown((40, 30, 56, 70)), shown((42, 30, 58, 70))[0][1, "left"].source

    def frames(*, tensors):
        def moved(source):
            return replace(source, eye=source.eye.moved(torch.from_numpy)) if tensors else source

        image = images[1, "left"]
        eye = moved(image.source).eye
        rgb, guide = (torch.from_numpy(v) if tensors else v for v in (image.sample.rgb, image.sample.guide))
        image = replace(image, eye=eye, sample=replace(image.sample, rgb=rgb, guide=guide), following=lambda: moved(coming))
        logits = masks[1, "left"].logits
        return {(1, "left"): image}, {(1, "left"): replace(masks[1, "left"], logits=torch.from_numpy(logits) if tensors else logits)}

    found = {}
    for tensors in (False, True):
        network = RvmWindows(Rvm(weights, rehearsed=True), 64)
        memory, out = network.begin(), []
        for _ in range(4):
            memory, alphas = network.step(memory, *frames(tensors=tensors))
            out.append((memory, alphas[1, "left"]))
        found[tensors] = out
        # a memory in the middle, saved and read again; the other kind of pictures may go on from it, too
        again = network.step(Memory.from_bytes(out[1][0].to_bytes()), *frames(tensors=tensors))
        assert again[0].digest() == out[2][0].digest() and np.array_equal(
            np.asarray(again[1][1, "left"].alpha), np.asarray(out[2][1].alpha)
        )
        network.step(out[2][0], *frames(tensors=not tensors))
        network.close()
    assert found[True][-1][0].on_device and not found[False][-1][0].on_device
    for (mine, alpha), (theirs, expected) in zip(found[True], found[False], strict=True):
        assert is_tensor(alpha.alpha) and is_tensor(alpha.guide) and alpha.crop == expected.crop
        assert np.abs(np.asarray(alpha.alpha) - expected.alpha).mean() < 2e-4
        assert {k: (str(a.dtype), a.shape) for k, a in mine.on_host().arrays.items()} == {
            k: (str(a.dtype), a.shape) for k, a in theirs.arrays.items()
        }


def test_it_is_known_by_its_network_and_what_it_was_tuned_to(weights):
    network = CompiledRvm(weights)
    known = RvmWindows(network, 64).identity()
    assert known == RvmWindows(network, 64, threads=2).identity() and network.identity() in known
    others = [
        RvmWindows(network, 80), RvmWindows(network, 64, crops=replace(CROPS, room=0.2)),
        RvmWindows(network, 64, temporal=replace(TEMPORAL, after=1.0)),
    ]  # fmt: skip
    assert len({known, *(o.identity() for o in others)}) == 4
    for wrong in (100, 48):
        with pytest.raises(ValueError, match=f"size is {wrong}"):
            RvmWindows(network, wrong)


def test_what_cannot_be_is_said(scene, tmp_path):
    clip, plan, settings, _ = scene
    wrong = settings.with_overrides(["matting.refiner_size=100"])
    with pytest.raises(SettingsError, match="refiner_size is 100"):
        FrameServer(clip, plan, wrong)
    with pytest.raises(WeightsError, match="does not exist"):
        FrameServer(clip, plan, settings.with_overrides([f"matting.refiner_weights={tmp_path / 'no.pth'}"]))


def test_a_render_is_known_by_the_weights_of_its_refiner(scene, tmp_path):
    clip, plan, settings, _ = scene
    other = tmp_path / "other.pth"
    torch.save(load_network(Path(settings.matting.refiner_weights)).state_dict(), other)
    changed = settings.with_overrides([f"matting.refiner_weights={other}"])
    assert identity(clip, plan, settings) != identity(clip, plan, changed)
    plain = changed.with_overrides(["matting.refiner=guided"])
    before = identity(clip, plan, plain)
    # the same name, other contents: what was rendered with the first is not kept with the second
    named = identity(clip, plan, changed)
    torch.save(random_network(refiner="fast_guided_filter").state_dict(), other)
    assert identity(clip, plan, changed) != named
    assert identity(clip, plan, plain) == before


@needs_trained
@pytest.mark.slow
def test_people_told_apart_otherwise_in_one_eye_are_told_apart_again():
    """A child behind a man: who is who changes, what is seen of both does not."""
    path = shared_clip("vr180/duo_2k/clip.mp4")
    frames = {}
    # with nothing that is corrected, and with more than by default, where the eyes agree by themselves: in both they hear each other
    for threshold in (0.0, 0.9):
        settings = Settings(matting={"refiner": "rvm", "refiner_weights": str(TRAINED)}, stereo={"validation_threshold": threshold})
        with open_clip(path, settings) as clip, FrameServer(clip, analyse(clip), settings) as server:
            frames[threshold] = [server.request(n).result() for n in range(12)]
    shared = 0
    for alone, compared in zip(*frames.values(), strict=True):
        corrected = compared.metadata.get("corrected", {})
        # nobody's matte is carried into what is shared out among several, as long as the eyes see the same by and large
        assert not any("transfer" in how and compared.metadata["agreement"][name] >= 0.5 for name, how in corrected.items())
        if not corrected or any("reshare" not in how for how in corrected.values()):
            continue
        shared += 1
        changed = {how.partition(":")[0] for how in corrected.values()}
        for view in ("left", "right"):
            a, b = alone.views[view], compared.views[view]
            assert np.abs(a.alpha - b.alpha).mean() < 2e-4
            differ = max(np.abs(a.person(p) - b.person(p)).max() for p in a.people)
            assert differ > 0.3 if view in changed else differ == 0
    assert shared


@needs_trained
@pytest.mark.slow
def test_an_eye_that_sees_nothing_tells_nobody_apart(monkeypatch):
    """One eye out of focus: it is given what the other one sees, and the other one loses nobody."""
    path = shared_clip("vr180/duo_2k/clip.mp4")
    settings = Settings(matting={"refiner": "rvm", "refiner_weights": str(TRAINED)})
    start = Pipeline.start
    harmed_frames = []

    def blurred(frame):
        if frame is None or frame.index < 6:
            return frame
        eye = frame.eyes["right"]
        rgb = cv2.GaussianBlur(eye.native(Rect(0, 0, eye.width, eye.height)), (0, 0), 12)
        return replace(frame, eyes=frame.eyes | {"right": RgbEye(rgb, (0, 0), eye.width, eye.height)})

    def harming(pipeline, frame, memory, metadata, ahead):
        harmed_frames.append(frame.index)
        return start(pipeline, blurred(frame), memory, metadata, lambda k: blurred(ahead(k)))

    with open_clip(path, settings) as clip:
        plan = analyse(clip)
        with FrameServer(clip, plan, settings) as server:
            whole = [server.request(n).result() for n in range(10)]
        monkeypatch.setattr(Pipeline, "start", harming)
        with FrameServer(clip, plan, settings) as server:
            harmed = [server.request(n).result() for n in range(10)]
    assert harmed_frames == list(range(10))
    for a, b in zip(whole[6:], harmed[6:], strict=True):
        for view in ("left", "right"):
            x, y = a.views[view].alpha, b.views[view].alpha
            assert np.minimum(x, y).sum() / np.maximum(x, y).sum() > 0.9, (a.index, view)
