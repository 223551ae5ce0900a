"""Putting bridges into hosts, and taking them away."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from vr180_ofx import install as i
from vr180_ofx.cli.main import main
from vr180_ofx.errors import InstallError
from vr180_ofx.node import NODE
from vr180_ofx.version import __version__


def everything(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("host", ["nuke", "resolve", "blender"])
@pytest.mark.parametrize("link", [False, True])
def test_what_is_installed_is_taken_away_and_nothing_else(tmp_path, host, link):
    place = tmp_path / "host"
    place.mkdir()
    (place / "init.py").write_text("print('mine')")
    (place / "Scripts" / "Utility").mkdir(parents=True)
    (place / "Scripts" / "Utility" / "other.py").write_text("")
    before = everything(place)
    done = i.install(host, place, link=link, roots=[str(tmp_path)])
    folder = i._folder(host, place)
    assert {"vr180_client.py", "node.json", "bridge.json", i.RECORD} <= {p.name for p in folder.iterdir()}
    assert (folder / "vr180_client.py").is_symlink() == link
    facts = json.loads((folder / "bridge.json").read_text())
    assert facts == {"command": [sys.executable, "-m", "vr180_ofx"], "version": __version__, "roots": [str(tmp_path)]}
    assert done.said and (place / "init.py").read_text().startswith("print('mine')")
    # again: as often as one likes, with the same result
    first = everything(place)
    i.install(host, place, link=link, roots=[str(tmp_path)])
    assert everything(place) == first
    i.uninstall(host, place)
    after = everything(place)
    assert {k: v.rstrip() for k, v in after.items()} == before
    with pytest.raises(InstallError, match="nothing of vr180-ofx is installed"):
        i.uninstall(host, place)


@pytest.mark.parametrize("link", [False, True])
def test_what_is_installed_finds_its_node_and_its_server(tmp_path, link):
    """In a Python that does not know the package, as a host's: what lies beside the client is found there, linked to or not."""
    i.install("nuke", tmp_path, link=link, roots=[str(tmp_path)])
    folder = tmp_path / "vr180_ofx"
    code = (
        f"import sys; sys.path.insert(0, {str(folder)!r}); import vr180_client as c; print(len(c.Node().parameters), *c.server_command())"
    )
    environment = {k: v for k, v in os.environ.items() if k != "VR180_OFX_COMMAND"}
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.stdout.split() == [str(len(NODE.parameters)), sys.executable, "-m", "vr180_ofx"], done.stderr


@pytest.mark.skipif(shutil.which("cmake") is None or shutil.which("cc") is None, reason="cmake and a C compiler are not installed")
def test_the_openfx_plug_in_is_compiled_and_installed(tmp_path, capsys):
    assert main(["install", "ofx", "--path", str(tmp_path / "OFX")]) == 0
    bundle = tmp_path / "OFX" / "VR180Matte.ofx.bundle"
    (binary,) = bundle.glob("Contents/*/VR180Matte.ofx")
    assert binary.stat().st_size > 10_000 and (bundle / "Contents" / "Resources" / "bridge.json").exists()
    assert "OFX_PLUGIN_PATH" in capsys.readouterr().err
    assert main(["install", "ofx", "--path", str(tmp_path / "OFX"), "--undo"]) == 0 and not bundle.exists()


def test_without_a_compiler_it_says_what_is_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["install", "ofx", "--path", str(tmp_path / "OFX")]) == 2
    assert "CMake is not installed" in capsys.readouterr().err and not (tmp_path / "OFX" / "VR180Matte.ofx.bundle").exists()


def test_strangers_are_left_alone(tmp_path, capsys):
    (tmp_path / "vr180_ofx").mkdir()
    (tmp_path / "vr180_ofx" / "notes.txt").write_text("mine")
    assert main(["install", "nuke", "--path", str(tmp_path)]) == 2
    assert "was not made by this program" in capsys.readouterr().err and (tmp_path / "vr180_ofx" / "notes.txt").exists()
    bundle = tmp_path / "VR180Matte.ofx.bundle"
    bundle.mkdir()
    assert main(["install", "ofx", "--path", str(tmp_path)]) == 2 and bundle.exists()


def test_a_folder_that_cannot_be_written_is_said(tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("")
    assert main(["install", "nuke", "--path", str(file)]) == 2
    assert "Not a directory" in capsys.readouterr().err
    if os.geteuid():
        tmp_path.chmod(0o500)
        assert main(["install", "nuke", "--path", str(tmp_path / "sub")]) == 2
        assert "--path" in capsys.readouterr().err


def test_a_damaged_record_removes_nothing(tmp_path, capsys):
    i.install("nuke", tmp_path)
    (tmp_path / "vr180_ofx" / i.RECORD).write_text("{")
    assert main(["install", "nuke", "--path", str(tmp_path), "--undo"]) == 2
    assert "is damaged" in capsys.readouterr().err and (tmp_path / "vr180_ofx" / "vr180_nuke.py").exists()


def test_where_hosts_look(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert i.default_places("nuke") == [tmp_path / ".nuke"]
    assert i.default_places("blender") == []
    for version in ("4.1", "4.2", "4.5", "5.0", "latest"):
        (tmp_path / ".config" / "blender" / version).mkdir(parents=True)
    if sys.platform == "linux":
        assert [p.parts[-3] for p in i.default_places("blender")] == ["4.2", "4.5", "5.0"]
    with pytest.raises(InstallError, match="no blender of this user"):
        monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
        i.install("blender")
