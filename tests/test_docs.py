"""What the documents promise is run as it stands."""

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def blocks(path, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / path).read_text(), re.S)


def test_the_python_of_the_readme_runs_as_written(people_clip, tmp_path, monkeypatch):
    shutil.copy(people_clip, tmp_path / "clip.mp4")
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("README.md", "python")
    space = {}
    exec(compile(code, "README.md", "exec"), space)
    assert space["frame"].index == 3 and len(list((tmp_path / "out").glob("*.exr"))) == 10


def test_every_command_of_the_readme_is_understood():
    from vr180_ofx.cli.main import build_parser

    lines = [line for block in blocks("README.md", "") for line in block.splitlines() if "vr180-ofx " in line]
    assert len(lines) >= 7
    parser = build_parser()
    for line in lines:
        words = line.split("#")[0].split("vr180-ofx ")[1].split()
        assert parser.parse_args(words).command == words[0]


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "docs/index.md",
        "docs/architecture.md",
        "CONTRIBUTING.md",
        *(f"docs/guide/{p.name}" for p in (ROOT / "docs" / "guide").glob("*.md")),
    ],
)
def test_links_between_documents_lead_somewhere(path):
    for target in re.findall(r"\]\((?!http)([^)#]+)", (ROOT / path).read_text()):
        assert ((ROOT / path).parent / target).exists(), target


def test_imports_go_one_way():
    """The layers of docs/architecture.md, held against the code."""
    layers = [
        ["version", "settings", "storage", "telemetry", "resources"],
        ["weights", "node"],
        ["media", "vr180"],
        ["people", "trackers", "matte", "stereo"],
        ["engine"],
        ["output", "quality"],
        ["service", "client", "install"],
        ["cli"],
    ]
    rank = {name: k for k, names in enumerate(layers) for name in names}
    wrong = []
    for f in sorted((ROOT / "vr180_ofx").rglob("*.py")):
        own = f.relative_to(ROOT / "vr180_ofx").parts[0].removesuffix(".py")
        if own not in rank:
            continue
        names = re.findall(r"^\s*from vr180_ofx\.(\w+)", f.read_text(), re.M)
        wrong += [(str(f.relative_to(ROOT)), name) for name in names if rank.get(name, -1) > rank[own]]
    assert not wrong, wrong
