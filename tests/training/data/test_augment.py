import cv2
import numpy as np
import pytest
import torch

from tests.training.data.files import person
from vr180_ofx.training.data import effects
from vr180_ofx.training.data.augment import augmented
from vr180_ofx.training.data.light import composed
from vr180_ofx.training.data.options import Augmentation, through_h264

NEVER = Augmentation.nothing()


def batch(frames=2, height=48, width=64):
    alpha, foreground, picture = (torch.from_numpy(v / 255).float() for v in person(height, width))

    def several(x):
        return (x.permute(2, 0, 1) if x.dim() == 3 else x[None]).expand(1, frames, -1, -1, -1).clone()

    ground = torch.rand(1, 1, 3, height, width, generator=torch.Generator().manual_seed(1)).expand(1, frames, -1, -1, -1).clone()
    return {
        "source": several(picture),
        "alpha": several(alpha),
        "foreground": several(foreground),
        "background": ground,
        "matte": torch.ones(1),
    }


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


def test_nothing_is_nothing():
    given = {k: v for k, v in batch().items() if k != "background"}
    out = augmented(given, generator(), NEVER)
    assert set(out) == set(given) and all(torch.equal(out[k], given[k]) for k in given)


def test_the_same_seed_gives_the_same():
    always = Augmentation(**{k: 1.0 for k, v in Augmentation() if isinstance(v, float)}, stereo=True)
    a, b, c = (augmented(batch(), generator(s), always) for s in (1, 1, 2))
    assert all(torch.equal(a[k], b[k]) for k in a) and not torch.equal(a["source"], c["source"])
    for key, values in a.items():
        assert values.shape[2:] == batch().get(key, a["source" if "source" in key else "alpha"]).shape[2:]
        assert bool(torch.isfinite(values).all()) and values.min() >= 0 and values.max() <= 1, key


@pytest.mark.parametrize("what", ["motion", "apart", "colour", "relight", "shadows", "stereo"])
def test_the_picture_is_made_of_its_layers(what):
    """In linear light; so what is learnt of edges is true of them."""
    how = NEVER.model_copy(update={what: True if what == "stereo" else 1.0})
    for seed in range(3):
        out = augmented(batch(), generator(seed), how)
        light = (
            effects.to_light(out["foreground"]) * out["alpha"] + effects.to_light(out["background"]) * (1 - out["alpha"])
        )  # fmt: skip
        assert torch.allclose(out["source"], effects.to_signal(light), atol=1e-5)
        changed = {k for k in ("alpha", "foreground", "background") if not torch.equal(out[k], batch()[k])}
        expected = {"motion": {"alpha", "foreground"}, "colour": {"foreground", "background"}, "relight": {"foreground"}, "stereo": set()}
        # the foreground is of one colour: it looks the same wherever it is
        assert changed - {"foreground"} == expected.get(what, {"background"}) - {"foreground"}


def test_the_background_moves_against_the_person():
    out = augmented(batch(frames=3), generator(4), NEVER.model_copy(update={"apart": 1.0}))
    assert torch.equal(out["alpha"], batch(frames=3)["alpha"])
    assert not torch.equal(out["background"][0, 0], out["background"][0, 2])


def test_without_layers_everything_moves_together():
    """Where the picture goes its alpha goes: here the alpha is one of its channels."""
    given = batch(frames=3)
    given = {"source": given["alpha"].expand(-1, -1, 3, -1, -1).clone(), "alpha": given["alpha"], "guide": given["alpha"].clone()}
    out = augmented(given, generator(2), NEVER.model_copy(update={"motion": 1.0}))
    assert not torch.equal(out["alpha"], given["alpha"])
    assert torch.allclose(out["source"][:, :, :1], out["alpha"], atol=1e-6) and torch.equal(out["guide"], out["alpha"])


def test_what_is_in_front_is_nobody():
    out = augmented(batch(), generator(3), NEVER.model_copy(update={"occluders": 1.0}))
    hidden = (batch()["alpha"] - out["alpha"]) > 0.99
    plain = augmented(batch(), generator(3), NEVER)
    assert hidden.any() and bool((out["alpha"] <= batch()["alpha"]).all())
    assert bool(((out["source"] - plain["source"]).abs().amax(2, keepdim=True)[hidden] > 0.02).float().mean() > 0.9)


def test_the_other_eye_sees_the_person_further_left():
    out = augmented(batch(), generator(5), NEVER.model_copy(update={"stereo": True}))

    def middle(alpha):
        return float((alpha[0, 0, 0].sum(0) * torch.arange(64)).sum() / alpha[0, 0, 0].sum())

    shift = middle(out["alpha"]) - middle(out["alpha_right"])
    assert 0.005 * 64 <= shift <= 0.07 * 64 + 0.01 and out["source_right"].shape == out["source"].shape


def test_blur_takes_coverage_with_it():
    out = augmented(batch(), generator(6), NEVER.model_copy(update={"blur": 1.0}))
    assert float(out["alpha"].sum()) == pytest.approx(float(batch()["alpha"].sum()), rel=1e-3) and not torch.equal(
        out["alpha"], batch()["alpha"]
    )


def test_matrices_shift_turn_and_enlarge():
    x = torch.zeros(1, 1, 1, 32, 64)
    x[..., 8:12, 10:14] = 1
    right = effects.moved(x, [effects.similarity(zoom=1, degrees=0, x=0.25, y=0.25, aspect=2)], beyond="zeros")
    assert torch.allclose(right[..., 16:20, 26:30], torch.ones(4, 4), atol=1e-4) and float(right.sum()) == pytest.approx(16, abs=1e-2)
    # a quarter turn about the middle, in pixels whatever the picture's sides are: what is 6 pixels right of it comes to lie 6 below or above
    spot = torch.zeros(1, 1, 1, 32, 64)
    spot[..., 15:17, 37:39] = 1
    turned = effects.moved(spot, [effects.similarity(zoom=1, degrees=90, x=0, y=0, aspect=2)], beyond="zeros")
    ys, xs = np.nonzero(turned[0, 0, 0].numpy() > 0.5)
    assert len(ys) == 4 and xs.mean() + 0.5 == pytest.approx(32) and abs(ys.mean() + 0.5 - 16) == pytest.approx(6)
    larger = effects.moved(x, [effects.similarity(zoom=2, degrees=0, x=0, y=0, aspect=2)], beyond="zeros")
    assert float(larger.sum()) <= 64 + 1e-3
    big = torch.zeros(1, 1, 1, 32, 64)
    big[..., 14:18, 30:34] = 1
    assert float(effects.moved(big, [effects.similarity(zoom=2, degrees=0, x=0, y=0, aspect=2)], beyond="zeros").sum()) == pytest.approx(
        64, rel=0.02
    )


def test_jpeg_loses_what_jpeg_loses():
    """Against libjpeg, with the same tables and chroma at half the size: errors of the same size, and pictures that are alike."""
    rng = np.random.default_rng(1)
    picture = cv2.GaussianBlur(rng.integers(0, 255, (64, 96, 3)).astype(np.uint8), (0, 0), 2)
    for quality in (30, 60, 90):
        how = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
        decoded = cv2.imdecode(cv2.imencode(".jpg", picture[..., ::-1], how)[1], cv2.IMREAD_COLOR)
        assert decoded is not None
        theirs = decoded[..., ::-1].astype(float)
        given = torch.from_numpy(picture / 255).float().permute(2, 0, 1)[None, None]
        ours = effects.jpeg(given, quality)[0, 0].permute(1, 2, 0).numpy() * 255
        lost = np.abs(theirs - picture).mean()
        assert np.abs(ours - picture).mean() == pytest.approx(lost, rel=0.15) and np.abs(ours - theirs).mean() < 0.5 * lost + 0.6


def test_noise_has_the_variance_that_is_said():
    x = torch.full((1, 1, 1, 200, 200), 0.5)
    noise = torch.randn(x.shape, generator=generator())
    out = effects.noisy(x, shot=0.002, read=0.01, grain=1, noise=noise)
    assert float((out - x).var()) == pytest.approx(0.002 * 0.5 + 1e-4, rel=0.03)
    grainy = effects.noisy(x, shot=0.002, read=0.01, grain=2, noise=noise) - x
    assert float((grainy[..., 1:] * grainy[..., :-1]).mean()) > 0.3 * float(grainy.var())


def test_kernels_have_a_sum_of_one_and_their_size():
    for kernel in (effects.gaussian(1.5), effects.streak(7, 30), effects.streak(7, 90)):
        assert float(kernel.sum()) == pytest.approx(1) and kernel.shape[0] % 2 == 1
    line = effects.streak(12, 0).sum(0)
    spread = float((line * (torch.arange(len(line)) - len(line) // 2) ** 2).sum())
    # a line of length l has variance l² / 12, drawn with pixels a little more
    assert spread == pytest.approx(12, rel=0.08)


def test_both_ways_of_composing_agree():
    alpha, foreground, _ = person()
    ground = np.random.default_rng(2).integers(0, 255, foreground.shape, dtype=np.uint8)
    ours = composed(foreground, ground, alpha)
    above, below = (torch.from_numpy(v / 255).float().permute(2, 0, 1) for v in (foreground, ground))
    theirs = effects.over(above, below, torch.from_numpy(alpha / 255).float(), linear=True)
    assert np.abs(ours.astype(float) / 255 - theirs.permute(1, 2, 0).numpy()).max() < 0.51 / 255
    # half of white's light over black: sRGB 188
    white, black = np.full((1, 1, 3), 255, np.uint8), np.zeros((1, 1, 3), np.uint8)
    assert composed(white, black, np.full((1, 1), 32768, np.uint16))[0, 0, 0] == 188


def test_h264_gives_as_many_frames_and_loses_more_with_more_crf():
    rng = np.random.default_rng(1)
    frames = np.stack([cv2.GaussianBlur(np.roll(rng.integers(0, 255, (48, 64, 3)).astype(np.uint8), n, 1), (0, 0), 1.5) for n in range(4)])
    lost = [np.abs(through_h264(frames, crf).astype(float) - frames).mean() for crf in (10, 25, 45)]
    assert lost[0] < lost[1] < lost[2] and lost[0] < 6
