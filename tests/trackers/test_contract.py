"""Values that flow to trackers and back: what they refuse, and what they show of themselves."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.media.contract import Sample
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.trackers.contract import Crop, CropSource, Mask, Memory, NetworkAlpha, Prompt, WindowImage
from vr180_ofx.vr180.projection import Rectilinear
from vr180_ofx.vr180.window import Window

WINDOW = Window((0.0, 0.0, 1.0), 60, 0, 8)
PIXELS = np.random.default_rng(0).random((8, 8, 3)).astype(np.float32)
EYE = RgbEye((np.random.default_rng(1).random((30, 40, 3)) * 255).astype(np.uint8), (0, 0), 40, 30)
PLAIN = Sample(PIXELS, PIXELS)
crops = st.builds(
    Crop,
    st.lists(st.integers(1, 99), max_size=4).map(tuple),
    st.floats(-50, 50),
    st.floats(-50, 50),
    st.floats(0.1, 9),
    st.integers(1, 500),
    st.integers(1, 500),
)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Prompt(), "empty"),
        (lambda: Prompt(box=(5, 5, 1, 9)), "left < right"),
        (lambda: Prompt(box=(1, 1, 2, 2), mask=np.ones((4, 4), bool)), "not both"),
        (lambda: Prompt(mask=np.ones((4, 5), bool)), r"\(4, 5\).*\(size, size\)"),
        (lambda: Mask(np.zeros((4, 4, 1), np.float32), 1.0), r"\(4, 4, 1\)"),
        (lambda: Mask(np.zeros((4, 4), np.float32), 1.5), "1.5.*from 0 to 1"),
        (lambda: Mask(np.zeros((4, 4), np.float32), float("nan")), "nan"),
        (lambda: Crop((1,), 0, 0, 0.0, 8, 8), "8x8.*0.0"),
        (lambda: Crop((1,), 0, 0, 1.0, 8, 0), "8x0"),
        (lambda: NetworkAlpha(np.zeros((8, 9), np.float32), PIXELS, WINDOW, Crop((1,), 0, 0, 1.0, 8, 8)), r"\(8, 9\).*8x8"),
        (lambda: WindowImage(PLAIN, WINDOW, sure=2.0), "sure is 2.0"),
        (lambda: WindowImage(PLAIN, WINDOW, eye=EYE), "with neither"),
        (lambda: CropSource(WINDOW, EYE, Rectilinear(80, 60)), r"\(40, 30\).*\(80, 60\)"),
        (lambda: WindowImage(PLAIN, WINDOW).source, "not taken from an eye"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_what_was_given(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_values_show_shapes_and_no_pixels():
    image = WindowImage(PLAIN, WINDOW, (3,), Prompt(mask=np.ones((8, 8), bool)))
    mask = Mask(np.zeros((8, 8), np.float32), 0.5, NetworkAlpha(PIXELS[..., 0], PIXELS, WINDOW, Crop((1,), 0, 0, 1.0, 8, 8)))
    for value in (image, mask, Memory({"1.left.logits": np.zeros((8, 8), np.float16)})):
        text = repr(value)
        assert "(8, 8" in text and "array(" not in text and "0.0, 0.0, 0.0" not in text.replace("direction=(0.0, 0.0, 1.0)", "")
    assert "occluders=(3,)" in repr(image) and "bool (8, 8)" in repr(image)


@given(crops)
def test_crops_go_into_memories_and_come_back(crop):
    assert Crop.from_array(crop.to_array()) == crop


@given(crops, st.floats(0, 1), st.floats(0, 1))
def test_a_crop_lies_where_its_box_is(crop, u, v):
    x0, y0, x1, y1 = crop.box
    inside = crop.to_window(np.array([u * crop.width, v * crop.height]))
    assert inside == pytest.approx([x0 + u * (x1 - x0), y0 + v * (y1 - y0)], abs=1e-6)


def test_a_crop_of_the_whole_window_shows_what_the_window_does():
    projection = Rectilinear(40, 30, 60)
    source = CropSource(WINDOW, EYE, projection)
    seen = source.sample(Crop((1,), 0, 0, 1.0, 8, 8))
    assert np.array_equal(seen.rgb, EYE.sample(WINDOW.grid(projection)).rgb)


def test_memories_are_never_changed():
    memory = Memory({"a": np.arange(3.0)})
    assert Memory.from_bytes(memory.to_bytes()).digest() == memory.digest() and memory.nbytes == 24
    assert Memory({"a": np.arange(3.0) + 1}).digest() != memory.digest() != Memory({"b": np.arange(3.0)}).digest()
    with pytest.raises(ValueError, match="read-only"):
        memory.arrays["a"][0] = 1


def test_a_memory_of_tensors_has_the_value_of_one_of_arrays():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    rng = np.random.default_rng(0)
    arrays: Any = {
        "a": rng.random((3, 4)).astype(np.float16), "b": rng.integers(0, 9, (5,)).astype(np.uint16), "c": rng.random((2, 2)).astype(np.float32),
        "d": rng.integers(0, 9, (2, 3)).astype(np.uint8), "e": np.array([1.5]),
    }  # fmt: skip
    tensors: Any = {name: torch.from_numpy(a.copy()) if name != "e" else a for name, a in arrays.items()}
    memory, there = Memory({k: a.copy() for k, a in arrays.items()}), Memory(tensors)
    assert there.on_device and there.nbytes == memory.nbytes and there.digest() == memory.digest()
    assert Memory.from_bytes(there.to_bytes()).digest() == memory.digest()
    down = there.on_host()
    assert not down.on_device and down.on_host() is down and all(np.array_equal(down.arrays[k], a) for k, a in arrays.items())
    # a value of its own
    tensors["c"] += 1
    assert down.digest() == memory.digest() and "float16 (3, 4)" in repr(there)
