"""Copying or linking a bridge to where its host looks, and undoing that."""

from __future__ import annotations

import importlib.resources
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from vr180_ofx.errors import InstallError
from vr180_ofx.node import node_file
from vr180_ofx.storage import write_atomic
from vr180_ofx.version import __version__

Host = Literal["nuke", "resolve", "ofx", "blender"]
HOSTS: tuple[Host, ...] = ("nuke", "resolve", "ofx", "blender")
#: What an installation leaves to be undone by.
RECORD = "vr180-ofx.installed.json"
_BEGIN, _END = "# vr180-ofx: begin", "# vr180-ofx: end"


@dataclass(slots=True)
class Installed:
    """What was done. said: lines for people."""

    said: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Order:
    """place: the host's folder. link, roots: as for `install`. done: what is to be told."""

    place: Path
    link: bool
    roots: list[str]
    done: Installed


def default_places(host: Host) -> list[Path]:
    """Where a host of this user looks on this system; several where several versions are there."""
    home, windows, mac = Path.home(), os.name == "nt", sys.platform == "darwin"
    roaming = Path(os.environ.get("APPDATA", str(home / "AppData" / "Roaming")))
    support = home / "Library" / "Application Support"
    if host == "nuke":
        return [home / ".nuke"]
    if host == "resolve":
        if windows:
            return [roaming / "Blackmagic Design" / "DaVinci Resolve" / "Support" / "Fusion"]
        if mac:
            return [support / "Blackmagic Design" / "DaVinci Resolve" / "Fusion"]
        return [home / ".local" / "share" / "DaVinciResolve" / "Fusion"]
    if host == "ofx":
        if windows:
            return [Path(os.environ.get("COMMONPROGRAMFILES", "C:\\Program Files\\Common Files")) / "OFX" / "Plugins"]
        return [Path("/Library/OFX/Plugins") if mac else Path("/usr/OFX/Plugins")]
    base = roaming / "Blender Foundation" / "Blender" if windows else support / "Blender" if mac else home / ".config" / "blender"
    versions = sorted(p for p in base.glob("*.*") if _version(p.name) >= (4, 2)) if base.is_dir() else []
    return [p / "extensions" / "user_default" for p in versions]


def _version(name: str) -> tuple[int, ...]:
    parts = name.split(".")
    return tuple(int(p) for p in parts) if all(p.isdigit() for p in parts) else (0,)


def install(host: Host, path: Path | None = None, *, link: bool = False, roots: Sequence[str] = ()) -> Installed:
    """Puts the bridge there. An installation that is there already is replaced.

    path: the host's folder (of Nuke, .nuke); default: where the host looks. link: the files stay here and are linked to, for
    development. roots: the folders that a server started by the bridge may read and write; default: all.
    Raises InstallError.
    """
    places = [path] if path is not None else default_places(host)
    if not places:
        raise InstallError(f"no {host} of this user was found; start it once, or name its folder with --path")
    done = Installed()
    for place in places:
        try:
            _INSTALLERS[host](_Order(place, link, [str(Path(r).resolve()) for r in roots], done))
        except OSError as error:
            hint = " (as an administrator, or with --path to a folder of your own)" if isinstance(error, PermissionError) else ""
            raise InstallError(f"{error.filename or place}: {error.strerror}{hint}") from None
    return done


def uninstall(host: Host, path: Path | None = None) -> Installed:
    """Takes away what `install` has put there, and nothing else. Raises InstallError when there is nothing."""
    done = Installed()
    for place in [path] if path is not None else default_places(host):
        record = _folder(host, place) / RECORD
        if not record.exists():
            continue
        try:
            facts = json.loads(record.read_text(encoding="utf-8"))
            _undo(facts, done)
        except ValueError:
            raise InstallError(f"{record} is damaged; remove {record.parent} by hand") from None
        except OSError as error:
            raise InstallError(f"{error.filename or place}: {error.strerror}") from None
    if not done.said:
        where = path or ", ".join(str(p) for p in default_places(host)) or "the usual places"
        raise InstallError(f"nothing of vr180-ofx is installed for {host} in {where}")
    return done


def _folder(host: Host, place: Path) -> Path:
    """The folder that is wholly ours."""
    return {
        "nuke": place / "vr180_ofx",
        "resolve": place / "Modules" / "vr180_ofx",
        "ofx": place / "VR180Matte.ofx.bundle" / "Contents" / "Resources",
        "blender": place / "vr180_ofx",
    }[host]


def _bridge_facts(roots: list[str]) -> str:
    facts = {"command": [sys.executable, "-m", "vr180_ofx"], "version": __version__, "roots": roots}
    return json.dumps(facts, indent=1) + "\n"


def _place_files(host: Host, order: _Order) -> Path:
    """The bridge's own files, the client and the node. Returns their folder."""
    folder = _folder(host, order.place)
    _refuse_strangers(folder)
    sources = {f.name: f for f in _bridge(host).iterdir() if Path(f.name).suffix in (".py", ".toml", ".nk", ".json")}
    sources |= {"vr180_client.py": importlib.resources.files("vr180_ofx") / "client.py", "node.json": node_file()}
    if order.link and not all(isinstance(source, Path) for source in sources.values()):
        raise InstallError("this program runs from an archive, whose files cannot be linked to; leave --link out")
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for name, source in sources.items():
        if order.link and isinstance(source, Path):
            (folder / name).symlink_to(source.resolve())
        else:
            (folder / name).write_bytes(source.read_bytes())
    write_atomic(folder / "bridge.json", _bridge_facts(order.roots).encode())
    order.done.said.append(f"{'linked' if order.link else 'copied'} {len(sources)} files to {folder}")
    return folder


def _bridge(host: Host) -> Traversable:
    """The folder of a host's bridge: `host_bridges/HOST` of the project, which is installed as a package of its own."""
    return importlib.resources.files("vr180_ofx.bridges") / host


def _refuse_strangers(folder: Path) -> None:
    if folder.exists() and not (folder / RECORD).exists() and any(folder.iterdir()):
        raise InstallError(f"{folder} is there and was not made by this program; move it away first")


def _record(folder: Path, **facts: object) -> None:
    write_atomic(folder / RECORD, (json.dumps(facts, indent=1) + "\n").encode())


def _nuke(order: _Order) -> None:
    folder = _place_files("nuke", order)
    startup = order.place / "init.py"
    text = startup.read_text(encoding="utf-8") if startup.exists() else ""
    lines = f'{_BEGIN}\nimport nuke\nnuke.pluginAddPath("./vr180_ofx")\n{_END}\n'
    if _BEGIN not in text:
        write_atomic(startup, (text + ("" if not text or text.endswith("\n") else "\n") + lines).encode())
        order.done.said.append(f"added a line to {startup}")
    _record(folder, made=[str(folder)], marked=[str(startup)])
    order.done.said.append("start Nuke; the node is in the menu VR180 of the toolbar")


def _resolve(order: _Order) -> None:
    folder = _place_files("resolve", order)
    made = [str(folder)]
    # Resolve runs scripts without telling them where they lie
    for kind, script, name in (("Comp", "run_fusion", "VR180 Matte (Fusion)"), ("Utility", "run_resolve", "VR180 Matte (Resolve)")):
        target = order.place / "Scripts" / kind / f"{name}.py"
        target.parent.mkdir(parents=True, exist_ok=True)
        text = f"import sys\n\nsys.path.insert(0, {str(folder)!r})\nimport {script}\n\n{script}.main(globals())\n"
        write_atomic(target, text.encode())
        made.append(str(target))
        order.done.said.append(f"wrote {target}")
    _record(folder, made=made, marked=[])
    order.done.said.append("in Resolve: Workspace > Scripts > VR180 Matte; in Fusion: Script > VR180 Matte (Fusion)")


def _blender(order: _Order) -> None:
    folder = _place_files("blender", order)
    _record(folder, made=[str(folder)], marked=[])
    order.done.said.append("in Blender: Edit > Preferences > Add-ons, enable VR180 Matte")
    order.done.said.append("its panel is in the sidebar of the compositor and of the image editor")


def _ofx(order: _Order) -> None:
    place, done = order.place, order.done
    bundle = place / "VR180Matte.ofx.bundle"
    record = bundle / "Contents" / "Resources" / RECORD
    if bundle.exists() and not record.exists():
        raise InstallError(f"{bundle} is there and was not made by this program; move it away first")
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="vr180-ofx.") as name:
        built = build_ofx(Path(name), done.said.append)
        if bundle.exists():
            shutil.rmtree(bundle)
        shutil.copytree(built, bundle)
    resources = bundle / "Contents" / "Resources"
    write_atomic(resources / "bridge.json", _bridge_facts(order.roots).encode())
    _record(resources, made=[str(bundle)], marked=[])
    done.said.append(f"installed {bundle}")
    if place not in default_places("ofx"):
        done.said.append(f"hosts look there when OFX_PLUGIN_PATH holds {place}")
    if order.link:
        done.said.append("--link has no effect: a plug-in is compiled")


def build_ofx(folder: Path, said: Callable[[str], None]) -> Path:
    """Compiles the plug-in with CMake. Returns the bundle. Raises InstallError with what the compiler said."""
    if shutil.which("cmake") is None:
        raise InstallError("the OpenFX plug-in is compiled, and CMake is not installed; install cmake and a C compiler")
    said("compiling the plug-in")
    build = folder / "build"
    with importlib.resources.as_file(_bridge("ofx")) as sources:
        for command in (
            ["cmake", "-S", str(sources), "-B", str(build), "-DCMAKE_BUILD_TYPE=Release"],
            ["cmake", "--build", str(build), "--config", "Release"],
        ):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise InstallError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr).strip()[-2000:]}")
    return build / "VR180Matte.ofx.bundle"


def _undo(facts: dict[str, list[str]], done: Installed) -> None:
    for name in facts["marked"]:
        path = Path(name)
        if not path.exists():
            continue
        text = path.read_text(encoding="utf-8")
        begin, end = text.find(_BEGIN), text.find(_END)
        if 0 <= begin < end:
            rest = text[:begin] + text[end + len(_END) :].lstrip("\n")
            if rest.strip():
                write_atomic(path, rest.encode())
                done.said.append(f"took the line out of {path}")
            else:
                path.unlink()
                done.said.append(f"removed {path}")
    for name in facts["made"]:
        path = Path(name)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.exists() or path.is_symlink():
            path.unlink()
        else:
            continue
        done.said.append(f"removed {path}")


_INSTALLERS: dict[Host, Callable[[_Order], None]] = {
    "nuke": _nuke, "resolve": _resolve, "ofx": _ofx, "blender": _blender,
}  # fmt: skip
