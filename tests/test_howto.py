"""The how-to pages, followed to the letter: their code in a copy of the project, tested there, and used for real."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio
import pytest

from vr180_ofx.quality.truth import read_views

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "contributing"
FRAMES = 3


def blocks(text: str) -> list[tuple[str, str, str]]:
    """(file, language, code) of each block that a page gives a place: the line before says where, in backticks."""
    return re.findall(r"^`([\w./]+)`:\n\n```(python|diff)\n(.*?)^```$", text, re.S | re.M)


def patched(text: str, diff: str) -> str:
    """A unified diff without numbers of lines, applied: what a hunk takes away has to be there, once."""
    for hunk in re.split(r"^@@.*\n", diff, flags=re.M):
        lines = hunk.splitlines(keepends=True)
        before, after = ("".join(line[1:] for line in lines if line[0] in (mark, " ")) for mark in "-+")
        assert all(line[0] in "-+ " for line in lines) and before != after
        assert text.count(before) == 1, f"this stands {text.count(before)} times in the file, not once:\n{before}"
        text = text.replace(before, after)
    return text


def test_a_diff_is_applied_where_it_belongs():
    assert patched("a\nb\nc\n", "+x\n b\n@@\n-c\n+d\n") == "a\nx\nb\nd\n"
    with pytest.raises(AssertionError, match="stands 0 times"):
        patched("a\n", "-b\n+c\n")
    with pytest.raises(AssertionError, match="stands 2 times"):
        patched("a\na\n", "-a\n+c\n")


class Followed:
    """A copy of the project in which somebody did what a page says."""

    def __init__(self, page: str, folder: Path) -> None:
        self.folder = folder
        text = (PAGES / page).read_text(encoding="utf-8")
        shutil.copytree(ROOT / "vr180_ofx", folder / "vr180_ofx", ignore=shutil.ignore_patterns("__pycache__", "demo"))
        (folder / "vr180_ofx" / "demo").symlink_to(ROOT / "vr180_ofx" / "demo")
        for path in sorted((ROOT / "tests").rglob("*.py")):
            if path.name in ("__init__.py", "conftest.py"):
                copy = folder / path.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, copy)
        self.files: dict[str, str] = {}
        for name, language, code in blocks(text):
            path = folder / name
            assert path.exists() == (language == "diff"), f"{page}: {name} is written anew by a block of Python, and changed by a diff"
            path.write_text(patched(path.read_text(encoding="utf-8"), code) if language == "diff" else code, encoding="utf-8")
            self.files[name] = language
        (self.test,) = (name for name in self.files if name.startswith("tests/"))
        (self.command,) = re.findall(r"^vr180-ofx (render .*)$", text, re.M)

    def python(self, *arguments: str) -> None:
        """Raises AssertionError with what was printed."""
        environment = os.environ | {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        ran = subprocess.run([sys.executable, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, f"{arguments}: {ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"

    def run_its_test(self) -> None:
        self.python("-m", "pytest", "-q", "-p", "no:cacheprovider", self.test)

    def run_its_command(self, clip: Path) -> list[Path]:
        """What there is in the folder then."""
        shutil.copy(clip, self.folder / "clip.mp4")
        self.python("-m", "vr180_ofx", *self.command.split())
        return sorted(p for p in (self.folder / "out").iterdir() if p.suffix in (".exr", ".tif"))


def made_with(path: Path, word: str) -> str:
    """What an EXR's header says of it."""
    source = oiio.ImageInput.open(str(path))
    assert source is not None
    spec = source.spec()
    return next(str(a.value) for a in spec.extra_attribs if a.name == f"vr180ofx:{word}")


def test_write_a_tracker(people_clip, tmp_path):
    page = Followed("write-a-tracker.md", tmp_path)
    assert sorted(page.files.values()) == ["diff", "diff", "python", "python"]
    page.run_its_test()
    files = page.run_its_command(people_clip)
    assert len(files) == FRAMES
    for path in files:
        assert made_with(path, "tracker").startswith("ellipse:")
        for layers in read_views(path).values():
            covered = layers["A"] > 0.5
            # people, and neither all of the picture nor a few pixels of it
            assert 0.005 < covered.mean() < 0.3 and len(layers) >= 3


def test_write_a_refiner(people_clip, tmp_path):
    page = Followed("write-a-refiner.md", tmp_path)
    assert sorted(page.files.values()) == ["diff", "diff", "python", "python"]
    page.run_its_test()
    files = page.run_its_command(people_clip)
    assert len(files) == FRAMES
    for path in files:
        assert made_with(path, "refiner").startswith("feather:")
        for layers in read_views(path).values():
            alpha = layers["A"]
            assert (alpha > 0.99).any() and ((alpha > 0.1) & (alpha < 0.9)).any()


def test_write_an_output(people_clip, tmp_path):
    page = Followed("write-an-output.md", tmp_path)
    assert sorted(page.files.values()) == ["diff", "python", "python"]
    page.run_its_test()
    files = page.run_its_command(people_clip)
    assert [p.name for p in files] == [f"clip.{n:04d}.tif" for n in range(1, FRAMES + 1)]
    for path in files:
        whole, pages = cv2.imreadmulti(str(path), flags=cv2.IMREAD_UNCHANGED)
        assert whole and [(p.shape, p.dtype) for p in pages] == [((512, 512), np.uint16)] * 2
        assert all(p.max() > 60000 for p in pages)
