"""Documents of people, of the careless and of attackers."""

import resource
import subprocess
import sys

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx import documents
from vr180_ofx.documents import DEEPEST, from_json, from_toml, from_yaml, text_of
from vr180_ofx.errors import DocumentError

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
READERS = {"json": from_json, "yaml": from_yaml, "toml": from_toml}


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("yaml", BOMB, "has an alias"),
        ("yaml", "a: &a\n  b: *a\n", "has an alias"),
        ("yaml", "a: {<<: *b}", "alias"),
        ("yaml", "[" * 100_000, "nests deeper"),
        ("yaml", "".join(" " * k + "a:\n" for k in range(300)), "nests deeper"),
        ("yaml", "a: 1\nb: 2\na: 3\n", "has the key 'a' twice, again in line 3"),
        ("yaml", "1: 2", "has the key 1"),
        ("yaml", "yes: 2", "has the key True"),
        ("yaml", "? [a]\n: 1", "is not YAML"),
        ("yaml", "a: !!int ''", "is not YAML"),
        ("yaml", "a: !!python/object/apply:os.system [ls]", "is not YAML"),
        ("yaml", "a: !!binary aGFsbG8=", "has b'hallo'"),
        ("yaml", "a: !!timestamp 2001-02-03", "a date"),
        ("yaml", "a: .inf", "has inf, which is no number"),
        ("yaml", f"a: {'9' * 5000}", "is not YAML"),
        ("yaml", f"a: 0x{'f' * 5000}", "a number of 20000 bits"),
        ("yaml", "a: \x07", "is not YAML"),
        ("toml", "a = 1\na = 2", "is not TOML"),
        ("toml", "a = " + "[" * 50_000, "nests deeper"),
        ("toml", ".".join(["a"] * 100) + " = 1", "nests deeper"),
        ("toml", "a = 2001-02-03", "a date"),
        ("toml", "a = nan", "has nan, which is no number"),
        ("toml", f"a = {'9' * 5000}", "is not TOML"),
        ("toml", f"a = 0x{'f' * 5000}", "a number of 20000 bits"),
        ("json", '{"a": 1, "b": {"c": 1, "d": 2, "c": 3}}', "has the key 'c' twice"),
        ("json", "[" * 100_000, "nests deeper"),
        ("json", '{"a":' * 100_000, "nests deeper"),
        ("json", '{"a": NaN}', "has NaN, which is no number"),
        ("json", '{"a": -Infinity}', "has -Infinity"),
        ("json", '{"a": 1e999}', "too large a number"),
        ("json", f'{{"a": {"9" * 5000}}}', "is not JSON"),
        ("json", "{", "is not JSON"),
        ("json", "", "is not JSON"),
    ],
)
def test_what_is_refused_and_how(kind, text, said):
    with pytest.raises(DocumentError) as info:
        READERS[kind](text)
    assert said in str(info.value) and len(str(info.value)) < 500 and "\n" not in str(info.value)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1, max_size=4), inner, max_size=4), max_leaves=20,
)  # fmt: skip


@given(PLAIN)
def test_what_was_written_is_read(value):
    import json

    assert from_json(json.dumps(value)) == value
    assert from_yaml(yaml.safe_dump(value, allow_unicode=True)) == value


@given(st.text(max_size=200) | st.text("[]{}&*:-?!|>'\"%@`, \nab01.<e=#", max_size=60), st.sampled_from(sorted(READERS)))
def test_any_text_is_a_document_or_an_error_for_people(text, kind):
    try:
        documents.plain(READERS[kind](text))
    except DocumentError as error:
        assert len(str(error)) < 500


@pytest.mark.parametrize("deep", [DEEPEST, DEEPEST + 1])
def test_the_bound_of_depth_is_the_same_for_all(deep):
    for kind, text in (("yaml", "[" * deep + "]" * deep), ("toml", "a = " + "[" * (deep - 1) + "]" * (deep - 1))):
        try:
            READERS[kind](text)
        except DocumentError:
            assert deep > DEEPEST
        else:
            assert deep <= DEEPEST


def test_texts_that_look_like_times_stay_texts():
    assert from_yaml("a: 2001-02-03\nb: 2001-99-99\nc: =\nd: <<\n") == {"a": "2001-02-03", "b": "2001-99-99", "c": "=", "d": "<<"}


@pytest.mark.parametrize(("name", "data", "said"), [
    ("latin", b"a: \xe9", "is not UTF-8 (byte 3)"), ("long", b"#" * (documents.SETTINGS_BYTES + 1), "at most 262144"), ("folder", None, "is a folder"),
])  # fmt: skip
def test_files_that_are_no_texts(tmp_path, name, data, said):
    path = tmp_path / name
    if data is None:
        path.mkdir()
    else:
        path.write_bytes(data)
    with pytest.raises(DocumentError) as info:
        text_of(path, documents.SETTINGS_BYTES)
    assert said in str(info.value)


@pytest.mark.timeout(60)
def test_bombs_need_neither_time_nor_memory():
    """In a process that may take little: the bomb of 465 bytes took 6 GB."""
    texts = [BOMB, "[" * documents.SETTINGS_BYTES, "a: &a " + "[" * 50_000, "? " * 100_000, "- " * 100_000, "{a: " * 50_000]
    code = """
import sys
from vr180_ofx.documents import from_json, from_toml, from_yaml
from vr180_ofx.errors import DocumentError
for text in sys.stdin.read().split("\\0"):
    for read in (from_json, from_toml, from_yaml):
        try:
            read(text)
        except DocumentError:
            pass
        else:
            raise SystemExit(f"{text[:20]} was taken")
"""
    limit = 1 << 30
    child = subprocess.run(
        [sys.executable, "-c", code], input="\0".join(texts), capture_output=True, text=True, timeout=50,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )  # fmt: skip
    assert child.returncode == 0 and not child.stderr, child.stderr
