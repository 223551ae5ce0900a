import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.errors import SettingsError
from vr180_ofx.frame_ranges import parse_frames
from vr180_ofx.settings import Settings, without_effect

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


def test_keys_outside_their_section_find_it(tmp_path):
    f = tmp_path / "flat.toml"
    f.write_text('video_path = "a.mov"\nscale_factor = 0.25\nmaintain_sbs = false\n')
    s = Settings.load(f)
    assert (s.input.video_path, s.processing.scale_factor, s.output.maintain_sbs) == ("a.mov", 0.25, False)


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


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"processing": {"chunksize": 3}}, r"processing.chunksize is not a setting; did you mean 'processing.chunk_size'"),
        ({"procesing": {}}, "did you mean 'processing'"),
        ({"processing": {"scale_factor": 0.3}}, r"scale_factor is 0.3: allowed are 0.25, 0.5, 1.0"),
        ({"processing": {"chunk_size": "many"}}, "chunk_size is 'many'"),
        ({"detection": {"confidence_threshold": 1.5}}, "confidence_threshold is 1.5"),
        ({"output": {"background_color": [0, 300, 0]}}, "0..255"),
        ({"output": {"format": "gif"}}, "output.format is 'gif'"),
        ({"input": {"frames": "5-2"}}, "first frame comes after its last"),
        ({"input": 3}, "is a section"),
    ],
)
def test_mistakes_are_named_with_what_is_allowed(values, words):
    with pytest.raises(SettingsError, match=words):
        Settings.from_values(values)


@pytest.mark.parametrize("text", ["nonsense", "a.b=1", "processing.chunk_sise=3", "processing=3"])
def test_overrides_that_are_not_understood(text):
    with pytest.raises(SettingsError, match="--set"):
        Settings.from_values({}, [text])


def test_what_has_no_effect_is_said():
    assert without_effect(Settings(hardware={"device": "cpu"})) == []
    said = without_effect(Settings(processing={"memory_pipeline": True}, stereo={"master": "right"}))
    assert said == ["processing.memory_pipeline is True, which has no effect in this version"]


def test_overrides_win():
    assert Settings.from_values({"processing": {"chunk_size": 5}}, ["processing.chunk_size=7"]).processing.chunk_size == 7


@pytest.mark.parametrize(("name", "text"), [("c.yaml", "a: [1"), ("c.toml", "a = "), ("c.yaml", "- 1"), ("c.yaml", "\x00")])
def test_files_that_are_no_settings(tmp_path, name, text):
    f = tmp_path / name
    f.write_text(text)
    with pytest.raises(SettingsError, match=r"c\.(yaml|toml)"):
        Settings.load(f)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SettingsError, match="does not exist"):
        Settings.load(tmp_path / "no.yaml")


def test_frames():
    assert parse_frames("all", 3) == [0, 1, 2]
    assert parse_frames("1-2, 5,4-9", 7) == [1, 2, 4, 5, 6]
    with pytest.raises(SettingsError, match="frames 0..6"):
        parse_frames("9", 7)


@given(st.integers(0, 999), st.integers(0, 999))
def test_equal_settings_have_equal_hashes(a, b):
    x, y = Settings(processing={"chunk_size": a}), Settings(processing={"chunk_size": b})
    assert (x.digest() == y.digest()) == (a == b)
    assert x.digest("output") == y.digest("output")


def test_the_page_of_settings_is_up_to_date():
    import importlib.util
    from pathlib import Path

    path = Path(__file__).resolve().parents[1] / "docs" / "settings_page.py"
    spec = importlib.util.spec_from_file_location("settings_page", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text() == module.page(), "run: python docs/settings_page.py"
