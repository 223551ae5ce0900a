"""Robust Video Matting: the network, its memory, its files; in person windows and on whole eyes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torchvision", reason="the extra rvm is not installed")
import torch

from tests.conftest import shared_clip
from vr180_ofx.engine.pipeline import Pipeline
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.matte.refiner import chosen
from vr180_ofx.matte.rvm.export import NAMES, memory_before, to_onnx, to_torchscript
from vr180_ofx.matte.rvm.model import Rvm, load_network
from vr180_ofx.matte.rvm.network import RvmNetwork, folded
from vr180_ofx.matte.rvm.windows import RvmWindows
from vr180_ofx.media.clip import open_clip
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.output.render import identity
from vr180_ofx.people.analyse import analyse
from vr180_ofx.settings import Settings, SettingsError
from vr180_ofx.trackers.base import Memory
from vr180_ofx.trackers.registry import where
from vr180_ofx.vr180.window import Rect
from vr180_ofx.weights.store import WeightsError

#: Weights that were trained, for tests; without them, random ones: then only the arithmetic counts.
TRAINED = Path(__file__).resolve().parents[3] / "shared" / "weights" / "rvm_mobilenetv3_test.safetensors"
needs_trained = pytest.mark.skipif(not TRAINED.exists(), reason="the weights for tests are not there")


def random_network(variant="mobilenetv3", refiner="deep_guided_filter"):
    torch.manual_seed(7)
    network = RvmNetwork(variant, refiner).eval()
    for m in network.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.running_mean.normal_(0, 0.05)
            m.running_var.uniform_(0.8, 1.2)
            m.weight.data.uniform_(0.8, 1.2)
            m.bias.data.normal_(0, 0.05)
    # alphas all over the range, whatever is seen
    network.project_mat.conv.weight.data[3] *= 6
    network.project_mat.conv.bias.data[3] = 0.6
    return network


@pytest.fixture(scope="module")
def network():
    return random_network()


@pytest.fixture(scope="module")
def weights(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "rvm_mobilenetv3.pth"
    torch.save(network.state_dict(), path)
    return path


def worst(a, b):
    return max(float((x - y).abs().max()) for x, y in zip(a, b, strict=True))


# the network --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["mobilenetv3", "resnet50"])
def test_the_names_are_those_of_the_authors_checkpoints(variant):
    names = set(RvmNetwork(variant).state_dict())
    assert {
        "aspp.aspp1.0.weight", "aspp.aspp2.1.weight", "decoder.decode4.gru.ih.0.weight", "decoder.decode3.conv.0.weight",
        "decoder.decode1.gru.hh.0.bias", "decoder.decode0.conv.4.running_mean", "project_mat.conv.weight", "project_seg.conv.bias",
        "refiner.box_filter.weight", "refiner.conv.6.bias",
    } <= names  # fmt: skip
    assert ("backbone.features.16.0.weight" if variant == "mobilenetv3" else "backbone.layer4.2.conv3.weight") in names
    # nothing besides: checkpoints load strictly
    assert not [n for n in names if n.split(".")[0] not in ("backbone", "aspp", "decoder", "project_mat", "project_seg", "refiner")]


@needs_trained
def test_trained_weights_load_and_see_somebody():
    found = load_network(TRAINED)
    assert set(load_network(TRAINED).state_dict()) - {"project_seg.conv.weight", "project_seg.conv.bias"} == set(
        __import__("safetensors.torch").torch.load_file(TRAINED)
    )
    assert type(found.refiner).__name__ == "FastGuidedFilter"


@pytest.mark.parametrize("variant", ["mobilenetv3", "resnet50"])
@pytest.mark.parametrize("refiner", ["deep_guided_filter", "fast_guided_filter"])
def test_shapes_and_ranges(variant, refiner):
    network = random_network(variant, refiner)
    with torch.inference_mode():
        for shape, ratio in (((2, 3, 64, 96), 1.0), ((1, 2, 3, 65, 83), 1.0), ((1, 3, 130, 90), 0.5)):
            foreground, alpha, *memory = network(torch.rand(shape), downsample_ratio=ratio)
            assert foreground.shape == shape and alpha.shape == (*shape[:-3], 1, *shape[-2:])
            assert float(alpha.min()) >= 0 and float(alpha.max()) <= 1 and len(memory) == 4
            # finest first, each half as large as the one before, whole pixels for incomplete blocks
            sides = [m.shape[-1] for m in memory]
            assert all(b == -(-a // 2) for a, b in pairwise(sides))
            logits, *again = network(torch.rand(shape), *memory, downsample_ratio=ratio, segmentation_pass=True)
            assert logits.dim() == len(shape) and len(again) == 4


def test_frames_at_once_are_frames_one_after_the_other(network):
    clip = torch.rand(2, 4, 3, 64, 80)
    with torch.inference_mode():
        together = network(clip)
        memory, alphas = [None] * 4, []
        for n in range(4):
            _, alpha, *memory = network(clip[:, n], *memory)
            alphas.append(alpha)
        assert worst([together[1], *together[2:]], [torch.stack(alphas, 1), *memory]) < 1e-5
        # what was seen before has a say
        alone = network(clip[:, 3])[1]
        assert float((alone - alphas[3]).abs().max()) > 1e-3


def test_the_encoders_take_what_they_were_trained_with(network):
    """MobileNet's pictures are normalised within; ResNet's are not."""
    grey = torch.full((1, 3, 32, 32), 0.5)
    features = network.backbone.features
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    with torch.inference_mode():
        assert worst([network.backbone(grey)[0]], [features[1](features[0]((grey - mean) / std))]) < 1e-6
        resnet = random_network("resnet50")
        assert worst([resnet.backbone(grey)[0]], [torch.relu(resnet.backbone.bn1(resnet.backbone.conv1(grey)))]) < 1e-6


@pytest.mark.parametrize("variant", ["mobilenetv3", "resnet50"])
def test_folding_changes_nothing_but_the_time(variant):
    network, picture = random_network(variant), torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        before = network(picture)
        after = folded(network)(picture)
    assert worst(before[:2], after[:2]) < 1e-3
    assert not [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]


# files --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_torchscript_agrees(network, tmp_path, ratio):
    to_torchscript(network, tmp_path / "rvm.pt")
    scripted = torch.jit.load(str(tmp_path / "rvm.pt"))
    with torch.inference_mode():
        for shape in ((1, 3, 64, 96), (2, 2, 3, 65, 70)):
            picture = torch.rand(shape)
            first, theirs = network(picture, downsample_ratio=ratio), scripted(picture, None, None, None, None, ratio)
            second, next_ = network(picture, *first[2:], downsample_ratio=ratio), scripted(picture, *theirs[2:], ratio)
            assert worst(first + second, theirs + next_) < 1e-4


def test_onnx_agrees(network, tmp_path):
    runtime = pytest.importorskip("onnxruntime", reason="the extra export is not installed")
    pytest.importorskip("onnxscript", reason="the extra export is not installed")
    to_onnx(network, tmp_path / "rvm.onnx", 64, 96, ratio=0.5)
    assert [p.name for p in tmp_path.iterdir()] == ["rvm.onnx"]
    session = runtime.InferenceSession(str(tmp_path / "rvm.onnx"), providers=["CPUExecutionProvider"])
    picture, memory = torch.rand(1, 3, 64, 96), memory_before(network, 1, 64, 96, 0.5)
    with torch.inference_mode():
        for _ in range(2):
            expected = network(picture, *memory, downsample_ratio=0.5)
            found = session.run(None, dict(zip(NAMES[0], [picture.numpy(), *(m.numpy() for m in memory)], strict=True)))
            assert worst(expected, [torch.from_numpy(f) for f in found]) < 1e-4
            memory = expected[2:]


def test_files_that_are_no_weights_are_refused(weights, tmp_path):
    other = tmp_path / "other.pth"
    torch.save({"conv.weight": torch.zeros(3)}, other)
    broken = tmp_path / "broken.pth"
    broken.write_bytes(weights.read_bytes()[:5000])
    short = tmp_path / "short.pth"
    torch.save({k: v for k, v in torch.load(weights).items() if "decode2" not in k}, short)
    for path, why in (
        (other, "holds no weights of RVM"),
        (broken, "cannot be read"),
        (short, "keys are missing"),
        (tmp_path / "no", "does not exist"),
    ):
        with pytest.raises(WeightsError, match=why):
            load_network(path)


# in person windows --------------------------------------------------------------------------------------------------


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


def test_people_add_up_to_one_and_say_who_they_are_by(scene):
    _, _, _, reference = scene
    for frame in reference:
        assert "rvm" in frame.metadata["tracker"]
        for view in frame.views.values():
            assert view.layers and sum(view.people.values()).max() <= 1.001
    if TRAINED.exists():
        assert all(p.mean() > 0.01 for view in reference[5].views.values() for p in view.people.values())


def test_another_memory_is_another_matte(scene):
    """The network remembers: a frame is not the same as the same picture without what came before."""
    clip, plan, settings, reference = scene
    with FrameServer(clip, plan, settings) as server:
        draft = server.request(5, "draft").result()
    assert draft.metadata["quality"] == "draft" and not draft.same(reference[5])


def test_what_it_looks_at_stays_until_somebody_leaves_it(scene, weights):
    from vr180_ofx.matte.paste import sigmoid
    from vr180_ofx.media.picture import RgbEye
    from vr180_ofx.trackers.base import Look, Mask, Sample, WindowImage
    from vr180_ofx.vr180.projection import Equirectangular
    from vr180_ofx.vr180.window import Window

    eye = RgbEye(np.random.default_rng(0).random((256, 256, 3)).astype(np.float32), (0, 0), 256, 256)
    projection, window = Equirectangular(256, 256), Window((0, 0, 1), 80, 0, 96)
    sample = eye.sample(window.grid(projection))
    matter = RvmWindows(Rvm(weights), 64)

    def shown(*boxes):
        images, masks = {}, {}
        for person, (x0, y0, x1, y1) in enumerate(boxes, start=1):
            logits = np.full((96, 96), -6, np.float32)
            logits[y0:y1, x0:x1] = 6
            images[person, "left"] = WindowImage(sample, window, eye=eye, projection=projection)
            masks[person, "left"] = Mask(logits, 1.0)
        return images, masks

    memory, first = matter.step(Memory(), *shown((40, 30, 56, 70)))
    look = first[1, "left"].look
    assert look.members == (1,) and look.width < look.height and look.width * look.height == pytest.approx(64**2, rel=0.3)
    memory, second = matter.step(memory, *shown((42, 31, 58, 71)))
    assert second[1, "left"].look == look
    # the arms go out
    memory, third = matter.step(memory, *shown((10, 30, 90, 70)))
    assert third[1, "left"].look != look and third[1, "left"].look.width > third[1, "left"].look.height
    # somebody close by is seen together with them, somebody far away is not; nobody is nobody
    _, pair = matter.step(memory, *shown((40, 30, 56, 70), (50, 30, 66, 70)))
    assert pair[1, "left"] is pair[2, "left"] and set(pair[1, "left"].look.members) == {1, 2}
    _, apart = matter.step(memory, *shown((10, 30, 18, 50), (80, 30, 88, 50)))
    assert apart[1, "left"].look.members == (1,) and apart[2, "left"].look.members == (2,)
    _, none = matter.step(memory, *shown((10, 30, 18, 50), (0, 0, 0, 0)))
    assert (2, "left") not in none
    assert Look.from_numbers(look.numbers()) == look and sigmoid(np.array(0.0)) == 0.5
    assert isinstance(sample, Sample)


def test_what_cannot_be_is_said(scene, tmp_path):
    clip, plan, settings, _ = scene
    wrong = settings.with_overrides(["matting.refiner_size=100"])
    with pytest.raises(SettingsError, match="refiner_size is 100"):
        FrameServer(clip, plan, wrong)
    with pytest.raises(WeightsError, match="does not exist"):
        FrameServer(clip, plan, settings.with_overrides([f"matting.refiner_weights={tmp_path / 'no.pth'}"]))


def test_auto_takes_rvm_where_it_is_quick(weights, monkeypatch):
    settings = Settings(matting={"refiner": "auto", "refiner_weights": str(weights)})
    for place, expected in (("cuda:0", "float16"), "rvm"), (("cpu", "bfloat16"), "rvm"), (("cpu", "float32"), "guided"):
        assert chosen(settings, lambda _, place=place: place) == expected
    # the processor is asked, and half precision can be declined
    on_cpu = settings.with_overrides(["hardware.device=cpu"])
    for amx, vectors, expected in (True, True, "bfloat16"), (False, True, "bfloat16"), (False, False, "float32"):
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda amx=amx: amx)
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda vectors=vectors: vectors)
        assert where(on_cpu) == ("cpu", expected)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
    assert where(on_cpu.with_overrides(["matting.fp16=false"])) == ("cpu", "float32")
    # whoever has no PyTorch is told so later, by who needs it
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert where(on_cpu) == ("cpu", "float32") and chosen(settings, where) == "guided"


def test_bfloat16_is_nearly_the_same(weights):
    """What a CPU with AMX computes; others do it as well, not as quickly."""
    rng = np.random.default_rng(3)
    pictures = cv2.GaussianBlur(rng.random((96, 96, 3)).astype(np.float32), (0, 0), 3)[None]
    exact, coarse = (Rvm(weights, "cpu", p) for p in ("float32", "bfloat16"))
    states = {exact: [None], coarse: [None]}
    for _ in range(4):
        alphas = {}
        for network in states:
            alphas[network], states[network] = network.step(pictures, states[network])
        again, _ = coarse.step(pictures, states[coarse])
        assert np.array_equal(again, coarse.step(pictures, states[coarse])[0])
    assert np.abs(alphas[exact] - alphas[coarse]).mean() < 0.02
    # the last layer is in single precision: more levels than bfloat16 has
    assert len(np.unique(alphas[coarse])) > 256


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
    for mode in ("independent", "master_slave"):
        settings = Settings(matting={"refiner": "rvm", "refiner_weights": str(TRAINED)}, stereo={"consistency_mode": mode})
        with open_clip(path, settings) as clip, FrameServer(clip, analyse(clip), settings) as server:
            frames[mode] = [server.request(n).result() for n in range(12)]
    shared = 0
    for alone, compared in zip(*frames.values(), strict=True):
        corrected = compared.metadata.get("corrected", {})
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
    make = Pipeline.make

    def blurred(pipeline, frame, memory, metadata):
        if frame.index >= 6:
            eye = frame.eyes["right"]
            rgb = cv2.GaussianBlur(eye.native(Rect(0, 0, eye.width, eye.height)), (0, 0), 12)
            frame = replace(frame, eyes=frame.eyes | {"right": RgbEye(rgb, (0, 0), eye.width, eye.height)})
        return make(pipeline, frame, memory, metadata)

    with open_clip(path, settings) as clip:
        plan = analyse(clip)
        with FrameServer(clip, plan, settings) as server:
            whole = [server.request(n).result() for n in range(10)]
        monkeypatch.setattr(Pipeline, "make", blurred)
        with FrameServer(clip, plan, settings) as server:
            harmed = [server.request(n).result() for n in range(10)]
    for a, b in zip(whole[6:], harmed[6:], strict=True):
        for view in ("left", "right"):
            x, y = a.views[view].alpha, b.views[view].alpha
            assert np.minimum(x, y).sum() / np.maximum(x, y).sum() > 0.9, (a.index, view)


# on whole eyes ------------------------------------------------------------------------------------------------------


def test_everybody_at_once_from_the_command_line(people_clip, weights, tmp_path, capsys):
    import json

    from vr180_ofx.cli.main import main

    path = TRAINED if TRAINED.exists() else weights
    arguments = [str(people_clip), "-o", str(tmp_path), "--weights", str(path), "--frames", "0-3", "--json"]
    assert main(["matte", *arguments, "--outputs", "alpha,exr", "--downsample", "high"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {k: r["written"] for k, r in report.items()} == {"alpha": 4, "exr": 4}
    assert list((tmp_path / "alpha").glob("*.mp4")) and len(list((tmp_path / "exr").glob("*.exr"))) == 4
    assert main(["matte", *arguments, "--outputs", "exr", "--downsample", "high"]) == 0
    assert json.loads(capsys.readouterr().out)["exr"]["kept"] == 4
    for wrong in (["--outputs", "beta"], ["--downsample", "0.3"]):
        assert main(["matte", *arguments, *wrong]) == 2


def test_entry_points_of_torch_hub(people_clip, weights, tmp_path):
    """As people load them, from the folder of the project."""
    root = str(Path(__file__).resolve().parents[2])
    network = torch.hub.load(root, "mobilenetv3", source="local", weights=weights, verbose=False)
    with torch.inference_mode():
        assert network(torch.rand(1, 3, 32, 32))[1].shape == (1, 1, 32, 32)
    assert torch.hub.load(root, "resnet50", source="local", pretrained=False, verbose=False).backbone.layer4
    with pytest.raises(WeightsError, match="is not of resnet50"):
        torch.hub.load(root, "resnet50", source="local", weights=weights, verbose=False)
    convert = torch.hub.load(root, "converter", source="local", verbose=False)
    reports = convert(people_clip, tmp_path, outputs=["alpha"], images=True, weights=weights)
    assert reports["alpha"].written == len(list((tmp_path / "alpha").glob("*.png"))) > 2


def test_whole_eyes_in_any_order(people_clip, weights):
    settings = Settings(matting={"tracker": "rvm", "tracker_weights": str(weights)})
    from vr180_ofx.people.plans import find_plan

    with open_clip(people_clip, settings) as clip:
        plan = find_plan(clip, settings)
        assert plan.people == []
        with FrameServer(clip, plan, settings) as server:
            in_order = [server.request(n).result() for n in range(4)]
        with FrameServer(clip, plan, settings, cache_bytes=0) as server:
            assert all(server.request(n).result().same(in_order[n]) for n in (3, 0, 2))
    assert [x.name for x in in_order[0].views["left"].layers] in ([], ["everybody"])
    assert in_order[3].views["right"].alpha.shape == clip.eye_size[::-1]
