"""All settings together: what each says of itself, and what follows from it."""

import importlib.util
import json
import math
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.settings.other_values import changeable, with_other
from vr180_ofx.errors import SettingsError
from vr180_ofx.node import NODE
from vr180_ofx.settings import Settings, every_setting, sections, without_effect

EXTREME: st.SearchStrategy[Any] = st.one_of(
    st.floats(), st.integers(), st.sampled_from([10**400, -(10**400), 2**63, "\0", "a\0b", "\ud800", "nan", "1e999", "9" * 5000, b"x", None, [], {}]),
    st.text(max_size=5), st.lists(st.text(max_size=3) | st.floats(), max_size=4),
)  # fmt: skip

ORIGINAL = """
input:
  video_path: "clip.mp4"
processing:
  scale_factor: 0.5
  chunk_size: 900
  overlap_frames: 60
detection:
  confidence_threshold: 0.7
  model: yolov8n
matting:
  use_disparity_mapping: true
  memory_offload: true
  fp16: true
output:
  path: out
  format: alpha
  background_color: [0, 255, 0]
  maintain_sbs: true
hardware:
  device: cuda
  max_vram_gb: 10
"""


def test_a_file_of_the_original_specification_loads(tmp_path):
    f = tmp_path / "c.yaml"
    f.write_text(ORIGINAL)
    s = Settings.load(f)
    assert (s.processing.chunk_size, s.output.format, s.output.background_color) == (900, "alpha", (0, 255, 0))


@pytest.mark.parametrize("ending", ["yaml", "toml"])
@given(
    chunk=st.integers(0, 10**6),
    threshold=st.floats(0.01, 0.99),
    name=st.text("abcäé _-", min_size=1, max_size=12).map(str.strip).filter(bool),
    colour=st.tuples(*[st.integers(0, 255)] * 3),
)
def test_what_is_saved_is_what_is_loaded(tmp_path_factory, ending, chunk, threshold, name, colour):
    s = Settings(
        input={"video_path": name},
        processing={"chunk_size": chunk},
        detection={"confidence_threshold": threshold},
        output={"background_color": colour},
    )
    path = tmp_path_factory.mktemp("s") / f"c.{ending}"
    s.save(path)
    assert Settings.load(path) == s


def test_every_setting_says_what_it_changes_who_may_set_it_and_what_it_is_for():
    said = {(section, key): traits for section, key, traits in every_setting()}
    assert set(said) == {(name, key) for name, section in sections().items() for key in section.model_fields} and len(said) > 70
    for (section, key), traits in said.items():
        assert traits.pixels in ("yes", "clip", "plan", "networks", "no"), (section, key)
        assert isinstance(traits.http, bool | tuple) and isinstance(traits.effect, bool), (section, key)
        assert sections()[section].model_fields[key].description, (section, key)
        # what does nothing changes nothing
        assert traits.effect or traits.pixels == "no", (section, key)


@pytest.mark.parametrize(("name", "traits"), changeable(), ids=lambda v: v if isinstance(v, str) else "")
def test_the_hash_of_pixels_follows_what_each_setting_says(name, traits):
    changed = Settings(**with_other(name))
    assert changed != Settings() and changed.digest() != Settings().digest()
    assert (changed.pixel_digest() != Settings().pixel_digest()) == (traits.pixels == "yes")


def test_the_hash_of_pixels_may_be_of_some_sections():
    other = Settings(output={"compression": "piz"})
    assert other.pixel_digest("matting", "stereo") == Settings().pixel_digest("matting", "stereo")
    assert other.pixel_digest("matting", "output") != Settings().pixel_digest("matting", "output")


def test_what_a_request_may_set_names_no_file_and_is_not_the_servers_affair():
    http = {f"{section}.{key}" for section, key, traits in every_setting() if traits.http}
    assert {"input.layout", "processing.scale_factor", "detection.model", "stereo.reference", "output.format"} <= http
    assert not {n for n in http if n.split(".")[0] in ("hardware", "performance", "debugging", "service")}
    files = ("video_path", "weights", "tracker_weights", "refiner_weights", "boxes", "path")
    assert not {n for n in http if n.split(".")[1] in files}
    # a detector may be a file: only those of the catalogue
    assert next(t.http for s, k, t in every_setting() if (s, k) == ("detection", "model")) == ("blazepose", "yolov8n", "yolov8s", "yolov8m")


@pytest.mark.parametrize(("name", "traits"), changeable(), ids=lambda v: v if isinstance(v, str) else "")
def test_what_has_no_effect_is_said(name, traits):
    said = without_effect(Settings(**with_other(name)))
    assert bool(said) == (not traits.effect)
    assert all(line.startswith(f"{name} is ") and "no effect" in line for line in said)


def test_the_hash_that_plans_carry_is_of_the_section_as_it_stands():
    """Plan files hold it: it may not change as long as the section does not."""
    values = {
        "model": "blazepose", "weights": None, "confidence_threshold": 0.7, "every": 4, "max_people": 8, "boxes": None,
    }  # fmt: skip
    expected = sha256(json.dumps({"detection": values}, sort_keys=True).encode()).hexdigest()[:16]
    assert Settings(detection={"every": 4}).digest("detection") == expected


@given(st.integers(0, 999), st.integers(0, 999))
def test_equal_settings_have_equal_hashes(a, b):
    x, y = Settings(processing={"chunk_size": a}), Settings(processing={"chunk_size": b})
    assert (x.digest() == y.digest()) == (a == b)
    assert x.digest("output") == y.digest("output")


def test_settings_are_values():
    with pytest.raises(ValueError, match="frozen"):
        Settings().output.people = False  # type: ignore[misc]
    with pytest.raises(SettingsError, match=r"output\.nonsense is not a setting"):
        Settings(output={"nonsense": 1})


def test_overrides_win():
    assert Settings.from_values({"processing": {"chunk_size": 5}}, ["processing.chunk_size=7"]).processing.chunk_size == 7
    assert Settings(processing={"chunk_size": 5}).with_overrides(["output.format=alpha"]).processing.chunk_size == 5


def test_the_page_of_settings_is_up_to_date():
    path = Path(__file__).resolve().parents[2] / "docs" / "settings_page.py"
    spec = importlib.util.spec_from_file_location("settings_page", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text() == module.page(), "run: python docs/settings_page.py"


def test_what_the_node_has_knobs_for_may_be_asked_of_a_server():
    http = {f"{section}.{key}" for section, key, traits in every_setting() if traits.http}
    assert {p.setting for p in NODE.parameters if p.setting is not None} <= http


@given(st.sampled_from(every_setting()), EXTREME)
def test_whatever_a_setting_is_it_is_taken_or_refused_with_its_name(setting, value):
    """Numbers that are none, huge ones, names with a NUL or with half a character."""
    name, key, _ = setting
    try:
        made = Settings(**{name: {key: value}})
    except SettingsError as error:
        assert key in str(error) and len(str(error)) < 2000
        return
    taken = getattr(getattr(made, name), key)
    assert not isinstance(taken, float) or math.isfinite(taken)
    assert "\0" not in str(taken)
    made.digest()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("input.fov_degrees", 0), ("input.fov_degrees", 1e-300), ("input.fov_degrees", 0.1), ("output.fov_degrees", 1e-3),
        ("input.frame_rate", 0), ("input.frame_rate", -24), ("input.frame_rate", 1e-4), ("input.frame_rate", math.inf),
        ("input.interocular_m", 1e-300), ("performance.price_per_hour", math.inf), ("input.video_path", "a\0.mp4"),
        ("service.allowed_roots", ["/tmp", "/\0"]), ("hardware.device", "cuda:" + "9" * 5000),
    ],
)  # fmt: skip
def test_values_that_make_nothing_of_a_picture_are_refused(key, value):
    section, _, name = key.partition(".")
    with pytest.raises(SettingsError, match=key.replace(".", r"\.")):
        Settings(**{section: {name: value}})
