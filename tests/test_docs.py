"""What the documents promise is run as it stands; pages are reachable, linked and readable."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown.extensions.toc import slugify

from tests.revisions import layers_module

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md")), *sorted(p.name for p in ROOT.glob("*.md"))]


def lines_of_prose(text):
    """(number, line) of what is neither code nor a table."""
    fence = None
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.match(r"\s*(```+|~~~+)", line)
        if fence:
            fence = None if mark and mark[1].startswith(fence) else fence
        elif mark:
            fence = mark[1]
        elif not line.lstrip().startswith("|"):
            yield number, line


def long_lines(text):
    return [(number, line) for number, line in lines_of_prose(text) if len(line) > 100]


def without_code(text):
    text = re.sub(r"^\s*(```+|~~~+).*?^\s*\1\s*$", "", text, flags=re.S | re.M)
    return re.sub(r"`[^`\n]+`", "``", text)


def anchors(page):
    """The places of a page that a link may name."""
    headings = (re.match(r"#+ (.*)", line) for _, line in lines_of_prose(page.read_text()))
    return {slugify(re.sub(r"[`*]", "", m[1]), "-") for m in headings if m}


def leaves(nav):
    for entry in nav:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            if isinstance(value, list):
                yield from leaves(value)
            else:
                yield value


def blocks(path, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / path).read_text(), re.S)


def test_the_python_of_the_readme_runs_as_written(people_clip, tmp_path, monkeypatch):
    shutil.copy(people_clip, tmp_path / "clip.mp4")
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("README.md", "python")
    space: dict[str, Any] = {}
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


@pytest.mark.parametrize("path", PAGES)
def test_links_between_documents_lead_somewhere(path):
    text = without_code((ROOT / path).read_text())
    wrong = []
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", text):
        name, _, anchor = target.partition("#")
        page = (ROOT / path).parent / name if name else ROOT / path
        if not page.exists() or (anchor and anchor not in anchors(page)):
            wrong.append(target)
    assert not wrong, wrong


def test_every_page_is_in_the_navigation_once():
    pages = sorted(str(p.relative_to(ROOT / "docs")) for p in (ROOT / "docs").rglob("*.md"))
    assert sorted(leaves(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])) == pages


@pytest.mark.parametrize("path", PAGES)
def test_prose_has_lines_of_at_most_100_characters(path):
    wrong = long_lines((ROOT / path).read_text())
    assert not wrong, "\n".join(f"{path}:{number}: {len(line)} characters: {line[:60]}..." for number, line in wrong)


def test_only_prose_is_held_to_100_characters():
    long = "word " * 30
    text = f"# Title\n\n{long}\n- {long}\n\n| {long} |\n\n```\n{long}\n```\n\n1. short\n   {long}\n\n~~~ text\n```\n{long}\n~~~\n{long}\n"
    assert [number for number, _ in long_lines(text)] == [3, 4, 13, 19]


def test_decisions_are_numbered_listed_and_complete():
    folder = ROOT / "docs" / "decisions"
    pages = sorted(p for p in folder.glob("*.md") if p.name != "index.md")
    # numbers are given when work begins, so one may be there before the ones below it
    numbers = [p.name[:5] for p in pages]
    assert all(re.fullmatch(r"\d{4}-", n) for n in numbers) and len(set(numbers)) == len(pages), numbers
    listed = re.sub(r"\s+", " ", without_code((folder / "index.md").read_text()))
    wrong = []
    for page in pages:
        text = page.read_text()
        title = text.splitlines()[0].removeprefix("# ")
        if not title.startswith(f"{page.name[:4]}. ") or f"- [{title}]({page.name})" not in listed:
            wrong.append(f"{page.name}: its title {title!r} does not begin with its number, or index.md lists another one")
        if not re.search(r"^- \*\*Status:\*\* (proposed|accepted|replaced)", text, re.M) or not re.search(
            r"^- \*\*Date:\*\* \d{4}-\d\d-\d\d", text, re.M
        ):
            wrong.append(f"{page.name}: status or date is missing")
        parts = re.findall(r"^## (.*)$", text, re.M)
        if [p for p in parts if p in ("Context", "Decision", "Consequences")] != ["Context", "Decision", "Consequences"]:
            wrong.append(f"{page.name}: the parts are {parts}")
    assert not wrong, wrong


def test_the_table_of_rooms_has_the_order_of_the_layers():
    layers = layers_module()
    table = (ROOT / "docs" / "architecture.md").read_text().split("| room | what is in it |\n|---|---|\n")[1].split("\n\n")[0]
    rooms = [room for row in table.splitlines() for room in re.findall(r"`(\w+)/?`", row.split("|")[1])]
    assert rooms == [name for line in layers.LAYERS[:-1] for name in line] + ["host_bridges", "nodes"]


def python_files(page):
    """The Python files that a page names in backticks, but for those that it tells people to write, and former ones."""
    text = page.read_text().split("\n## Former names\n")[0]
    written = set(re.findall(r"^`([\w./]+)`:\n\n```python$", text, re.M))
    return {name for name in re.findall(r"`([\w/.]+\.py)`", text) if name not in written}


@pytest.mark.parametrize("path", [p for p in PAGES if p != "CHANGELOG.md"])
def test_python_files_that_pages_name_exist(path):
    page = ROOT / path
    wrong = {
        name for name in python_files(page) if not any((folder / name).is_file() for folder in (ROOT, ROOT / "vr180_ofx", page.parent))
    }
    assert not wrong


def test_files_that_pages_name_are_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("`a/b.py` and `c.py`\n\n`new.py`:\n\n```python\n```\n\n## Former names\n\n| `old.py` |\n")
    assert python_files(page) == {"a/b.py", "c.py"}
