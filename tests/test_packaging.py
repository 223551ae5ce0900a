"""What is built and installed from the project: its list of packages and what a wheel holds."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


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
