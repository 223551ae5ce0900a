"""What is built and installed from the project: the list of packages, what a wheel holds, and that it runs where nothing else of the
project is."""

import ast
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import vr180_ofx.version
from tests.conftest import make_clip

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
#: Folder of the project -> folder of a wheel.
PLACES = {"vr180_ofx": "vr180_ofx", "host_bridges": "vr180_ofx/bridges", "nodes": "vr180_ofx/nodes"}


def test_every_package_is_listed():
    """setuptools takes only what pyproject.toml lists: a folder that is forgotten there is missing in wheels alone."""
    setuptools = PROJECT["tool"]["setuptools"]
    listed, places = setuptools["packages"], setuptools["package-dir"]
    folders = {f.parent.relative_to(ROOT) for f in (ROOT / "vr180_ofx").rglob("*.py")}
    there = {".".join(folder.parts) for folder in folders} | {name for name, place in places.items() if (ROOT / place).is_dir()}
    assert sorted(listed) == sorted(there)
    # a package without __init__.py is found from a checkout, but neither by an editable install nor by importlib.resources
    missing = [str(f) for f in [*folders, *map(Path, places.values())] if not (ROOT / f / "__init__.py").exists()]
    assert not missing, missing


def test_what_is_imported_is_declared():
    """Every package that the program names in an import is a dependency, or of an extra, and not there by somebody else's leave."""
    extras = [r for group in PROJECT["project"]["optional-dependencies"].values() for r in group]
    declared = {canonicalize_name(Requirement(r).name) for r in [*PROJECT["project"]["dependencies"], *extras]}
    # how sam2 is configured; it declares them
    declared |= {canonicalize_name(name) for name in ("hydra-core", "omegaconf")}
    of_module = importlib.metadata.packages_distributions()
    undeclared: dict[str, str] = {}
    for path in (ROOT / "vr180_ofx").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
            for module in {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"vr180_ofx"}:
                if not declared & {canonicalize_name(d) for d in of_module.get(module, [module])}:
                    undeclared.setdefault(module, str(path.relative_to(ROOT)))
    assert undeclared == {}


def test_hooks_and_make_lint_check_with_the_same_versions():
    """pre-commit's environments are pinned by themselves; another ruff formats otherwise."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines) if version}
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    for hook in (h for repo in config["repos"] for h in repo["hooks"]):
        asked = [line.partition("==") for line in hook["additional_dependencies"]]
        assert asked and {name: version for name, _, version in asked} == {n: pinned.get(canonicalize_name(n)) for n, _, _ in asked}


def sources(root):
    """What the project's packages hold, without what Python leaves there."""
    files = (f for place in PLACES for f in (root / place).rglob("*") if f.is_file() and "__pycache__" not in f.parts)
    return {f.relative_to(root).as_posix(): f for f in files}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy: setuptools leaves files beside what it builds from."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "project"
    for place in PLACES:
        shutil.copytree(ROOT / place, copy / place, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, copy)
    # what lies in a checkout in which the bridges were used
    left = copy / "host_bridges" / "nuke" / "__pycache__" / "vr180_nuke.cpython-311.pyc"
    left.parent.mkdir()
    left.write_bytes(b"")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    done = subprocess.run([*command, "--wheel-dir", str(folder), str(copy)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_project_and_nothing_else(wheel):
    """File by file, with the same bytes: modules, bridges, the node, the demo clip with its truth."""
    assert wheel.name == f"vr180_ofx-{vr180_ofx.version.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = {n for n in archive.namelist() if ".dist-info/" not in n}
        expected = {}
        for name, file in sources(ROOT).items():
            top, _, rest = name.partition("/")
            expected[f"{PLACES[top]}/{rest}"] = file
        assert names == set(expected)
        changed = [n for n, file in expected.items() if archive.read(n) != file.read_bytes()]
        assert changed == []
        about = {Path(n).name for n in archive.namelist() if ".dist-info/" in n}
    assert {"LICENSE", "NOTICE", "entry_points.txt"} <= about
    # what a user waits for: the demo clip and its truth are nearly all of it
    assert wheel.stat().st_size < 10e6


def requirements(lines):
    """The distributions of the running environment that these need, with all that those need."""
    found: dict[str, importlib.metadata.Distribution] = {}
    seen, waiting = set(), [Requirement(line) for line in lines]
    while waiting:
        requirement = waiting.pop()
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        distribution = found.setdefault(canonicalize_name(requirement.name), importlib.metadata.distribution(requirement.name))
        waiting += chosen(distribution.requires, requirement.extras)
    return found.values()


def chosen(lines, extras=()):
    """The requirements among these that hold here, without extras or with some."""
    all_of_them = [Requirement(line) for line in lines or ()]
    return [r for r in all_of_them if r.marker is None or any(r.marker.evaluate({"extra": e}) for e in ("", *extras))]


class Installed:
    """A fresh environment that has the wheel and what it requires without any extra: what a user has after the set-up.

    What is required is linked to from the running environment, so that nothing is fetched.
    """

    def __init__(self, folder, wheel):
        venv.create(folder / "venv", with_pip=False)
        self.bin = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        self.python = str(self.bin / "python")
        self.home = folder / "home"
        self.home.mkdir()
        kept = ("PATH", "LANG", "TMPDIR", "VR180_OFX_WEIGHTS", "SYSTEMROOT")
        self.environment = {k: os.environ[k] for k in kept if k in os.environ}
        self.environment |= {"HOME": str(self.home), "VR180_OFX_CACHE": str(folder / "cache")}
        self.site = Path(self.run(self.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
        pip = [sys.executable, "-m", "pip", "--python", self.python, "--disable-pip-version-check"]
        self.run(*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel))
        (own,) = importlib.metadata.distributions(name="vr180-ofx", path=[str(self.site)])
        for distribution in requirements(map(str, chosen(own.requires))):
            self._link(distribution)

    def _link(self, distribution):
        for top in {f.parts[0] for f in distribution.files} - {"..", "__pycache__"}:
            target = self.site / top
            if not target.exists():
                target.symlink_to(distribution.locate_file(top))

    def run(self, *words, status=0):
        """Standard output of a command that was run outside of the project."""
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True, cwd=self.home, env=self.environment, timeout=280)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def program(self, *words, status=0):
        return self.run(self.bin / "vr180-ofx", *words, status=status)


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    return Installed(tmp_path_factory.mktemp("fresh"), wheel)


def test_the_wheel_is_what_runs(installed):
    """Neither the checkout nor what an extra brings is in sight, or the tests below would show nothing."""
    code = "import importlib.util as u, vr180_ofx; print(vr180_ofx.__file__, *[u.find_spec(n) for n in ('torch', 'sam2', 'pytest')])"
    file, *absent = installed.run(installed.python, "-c", code).split()
    assert Path(file).is_relative_to(installed.site) and absent == ["None"] * 3
    assert installed.program("--version") == f"vr180-ofx {vr180_ofx.version.__version__}\n"


def test_the_installed_program_finds_nothing_wrong(installed):
    checks = {c["what"]: c for c in json.loads(installed.program("doctor", "--json"))}
    assert [c for c in checks.values() if not c["ok"] and not c.get("optional")] == []
    assert checks["fastapi"]["ok"] and not checks["torch"]["ok"]


@pytest.mark.slow
@pytest.mark.parametrize("host", ["nuke", "resolve", "ofx", "blender"])
def test_the_installed_program_installs_each_bridge_and_takes_it_away(installed, tmp_path, host):
    if host == "ofx" and (shutil.which("cmake") is None or shutil.which("cc") is None):
        pytest.skip("cmake and a C compiler are not installed")
    installed.program("install", host, "--path", tmp_path / host)
    (facts,) = (tmp_path / host).rglob("bridge.json")
    assert json.loads(facts.read_text())["command"] == [installed.python, "-m", "vr180_ofx"]
    if host != "ofx":
        # as a host's Python does, that knows nothing of the program
        code = f"import sys; sys.path.insert(0, {str(facts.parent)!r}); import vr180_client as c; print(len(c.Node().parameters))"
        assert int(installed.run(sys.executable, "-I", "-S", "-c", code)) > 20
    installed.program("install", host, "--path", tmp_path / host, "--undo")
    assert [p for p in (tmp_path / host).rglob("*") if p.is_file()] == []


CLIENT = """
import sys
from vr180_ofx.client import Node, connect
server = connect()
clip = server.open(sys.argv[1]).wait()
picture = clip.frame(2)
print(len(clip), picture.width, picture.height, len(picture.data), picture.quality, len(Node().parameters) > 20)
"""


def test_the_installed_program_serves_its_client(installed, tmp_path):
    """A flat clip in which nobody is: what is asked is whether the server runs with what the set-up installs."""
    clip = make_clip(tmp_path / "clip.mp4", 6)
    command = [installed.bin / "vr180-ofx", "serve", "--root", tmp_path]
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=installed.home, env=installed.environment)
    assert process.stdout is not None
    try:
        assert process.stdout.readline().startswith("http://127.0.0.1:"), (tmp_path / "log").read_text()
        said = installed.run(installed.python, "-c", CLIENT, clip).split()
    finally:
        process.terminate()
        status = process.wait(60)
        process.stdout.close()
    assert said == ["6", "192", "96", str(192 * 96 * 2), "final", "True"]
    assert status == 0, (tmp_path / "log").read_text()


@pytest.mark.slow
def test_the_installed_program_renders_its_demo(installed, tmp_path):
    d = json.loads(installed.program("demo", "-o", tmp_path, "--json"))
    assert (tmp_path / "result.png").stat().st_size > 200_000
    assert len(list((tmp_path / "out").glob("*.exr"))) == 24 and d["overall"]["iou"] >= 0.95
