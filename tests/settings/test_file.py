"""Settings as people write them, with mistakes."""

import pytest

from vr180_ofx.errors import SettingsError
from vr180_ofx.settings import Settings, sections
from vr180_ofx.settings.file import closest


def test_keys_outside_their_section_find_it(tmp_path):
    f = tmp_path / "flat.toml"
    f.write_text('video_path = "a.mov"\nscale_factor = 0.25\nmaintain_sbs = false\n')
    s = Settings.load(f)
    assert (s.input.video_path, s.processing.scale_factor, s.output.maintain_sbs) == ("a.mov", 0.25, False)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"processing": {"chunksize": 3}}, r"processing.chunksize is not a setting; did you mean 'processing.chunk_size'"),
        ({"procesing": {}}, "did you mean 'processing'"),
        ({"processing": {"scale_factor": 0.3}}, r"scale_factor is 0.3: allowed are 0.25, 0.5, 1.0"),
        ({"processing": {"chunk_size": "many"}}, "chunk_size is 'many'"),
        ({"detection": {"confidence_threshold": 1.5}}, "confidence_threshold is 1.5"),
        ({"output": {"background_color": [0, 300, 0]}}, "0..255"),
        ({"output": {"format": "gif"}}, "output.format is 'gif'.*'exr', 'alpha', .*'vr_alpha'"),
        ({"input": {"frames": "5-2"}}, "^input.frames has the range '5-2'; its first frame comes after its last$"),
        ({"input": 3}, "is a section"),
        # two sections have a key of this name
        ({"projection": "flat"}, "'projection' is not a setting"),
    ],
)
def test_mistakes_are_named_with_what_is_allowed(values, words):
    with pytest.raises(SettingsError, match=words):
        Settings.from_values(values)


def test_all_mistakes_are_named_at_once():
    with pytest.raises(SettingsError) as info:
        Settings.from_values({"processing": {"chunk_size": -1}, "output": {"format": "gif"}})
    assert [line.split(" ")[0] for line in str(info.value).splitlines()] == ["processing.chunk_size", "output.format"]


@pytest.mark.parametrize("text", ["nonsense", "a.b=1", "processing.chunk_sise=3", "processing=3"])
def test_overrides_that_are_not_understood(text):
    with pytest.raises(SettingsError, match="--set"):
        Settings.from_values({}, [text])


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("c.yaml", "processing:\n  chunk_size: 1\n  chunk_size: 2\n", "has the key 'chunk_size' twice, again in line 3"),
        ("c.yaml", "processing:\n  chunk_size: 1\nprocessing:\n  overlap_frames: 2\n", "has the key 'processing' twice"),
        ("c.toml", "[processing]\n[processing]\n", "is not TOML"),
        ("c.yaml", "processing: &p\n  chunk_size: 1\noutput: *p\n", "has an alias"),
        ("c.yaml", f"processing: {{chunk_size: 0x{'f' * 5000}}}", "a number of 20000 bits"),
        ("c.yaml", "processing: " + "[" * 5000, "nests deeper"),
        ("c.toml", "processing = " + "[" * 5000, "nests deeper"),
        ("c.yaml", "nonsense: " + "x" * 100_000, "'nonsense' is not a setting"),
        ("c.yaml", "x" * 100_000 + ": 1", "is not YAML"),
        ("c.yaml", '"' + "x" * 1000 + '": 1', "is not a setting"),
    ],
)
def test_files_of_which_something_would_be_lost_or_never_end(tmp_path, name, text, said):
    f = tmp_path / name
    f.write_text(text)
    with pytest.raises(SettingsError) as info:
        Settings.load(f)
    assert said in str(info.value) and len(str(info.value)) < 1000 and name in str(info.value)


@pytest.mark.parametrize("value", ["*a", "[[[[", "a: b: c", "[" * 3000, "&a [*a]", "2001-02-03", "#3.mp4"])
def test_a_name_on_the_command_line_need_not_be_yaml(value):
    made = Settings.from_values({}, [f"input.video_path=/clips/{value}"])
    assert made.input.video_path == f"/clips/{value}"
    if value != "#3.mp4":
        assert Settings.from_values({}, [f"input.video_path={value}"]).input.video_path == value


@pytest.mark.parametrize(("name", "text"), [("c.yaml", "a: [1"), ("c.toml", "a = "), ("c.yaml", "- 1"), ("c.yaml", "\x00")])
def test_files_that_are_no_settings(tmp_path, name, text):
    f = tmp_path / name
    f.write_text(text)
    with pytest.raises(SettingsError, match=r"c\.(yaml|toml)"):
        Settings.load(f)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SettingsError, match="does not exist"):
        Settings.load(tmp_path / "no.yaml")


def test_an_empty_file_is_all_defaults(tmp_path):
    (tmp_path / "c.yaml").write_text("")
    assert Settings.load(tmp_path / "c.yaml") == Settings()


@pytest.mark.parametrize(
    ("key", "said"),
    [("matting.hair", "'matting.refiner'"), ("premult", "'output.rgb'"), ("output.crypto", "'output.cryptomatte'"), ("cores", "'hardware.threads'"),
     ("projection", "'input.projection' or 'output.projection'"), ("procesing.chunk_size", "'processing.chunk_size'"), ("a.b", "sections are input, ")],
)  # fmt: skip
def test_a_key_that_there_is_not_is_looked_for_by_its_meaning(key, said):
    assert said in closest(key, sections())
