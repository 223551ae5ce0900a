"""What decides pixels, as a hash: python -m tests.revisions [--raise RESULT] [--same RESULT --because "..."], of matte, plan, writer

A revision (`vr180_ofx.version`) names what plans, mattes or output files look like: results of different revisions are never mixed, in caches or in a
render that goes on. So that none is forgotten, the code that makes them is hashed (syntax trees without comments, docstrings and places),
and a test fails when the hash is another one than the record says. Then either results changed, and the revision is raised; or they did
not, to the bit, and the record says by what that was seen.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RECORD = Path(__file__).with_suffix(".json")
VERSION = ROOT / "vr180_ofx" / "version.py"
#: Revision -> the modules that results come out of; what they import decides with them.
RESULTS = {
    "plan": ["vr180_ofx.people.analyse", "vr180_ofx.people.blazepose", "vr180_ofx.people.yolo", "vr180_ofx.trackers.blazepose_net", "vr180_ofx.media.open"],
    "matte": ["vr180_ofx.engine.pipeline", "vr180_ofx.engine.everybody", "vr180_ofx.engine.models", "vr180_ofx.engine.recipe", "vr180_ofx.engine.stepper", "vr180_ofx.engine.frame", "vr180_ofx.media.open"],
    "controls": ["vr180_ofx.engine.controlled"],
    "writer": ["vr180_ofx.output.exr_output", "vr180_ofx.output.png", "vr180_ofx.output.video"],
}  # fmt: skip
#: Of what comes out of these, other rooms have revisions of their own.
ALONE = {"writer": {"output"}, "controls": {"controls", "imaging", "engine"}}
#: Rooms that carry, measure and report, and decide no pixel. Settings are part of what results are known by as they are.
ELSEWHERE = {
    "version",
    "errors",
    "wording",
    "folders",
    "regular",
    "documents",
    "sealed",
    "storage",
    "telemetry",
    "resources",
    "settings",
    "__init__",
}


def layers_module() -> ModuleType:
    """docs/layers.py, which knows the imports."""
    if "layers" not in sys.modules:
        spec = importlib.util.spec_from_file_location("layers", ROOT / "docs" / "layers.py")
        assert spec is not None and spec.loader is not None
        sys.modules["layers"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["layers"])
    return sys.modules["layers"]


def deciding(result: str, package: Path = ROOT / "vr180_ofx") -> list[str]:
    """The modules that decide a result, sorted: its own, and all that they import."""
    layers = layers_module()
    graph: dict[str, set[str]] = {}
    for i in layers.imports(package):
        graph.setdefault(i.source, set()).add(i.target)
    found: set[str] = set()
    rest = [m for m in RESULTS[result] if m in layers.modules(package)]
    while rest:
        module = rest.pop()
        room = layers.room(module)
        if module not in found and room not in ELSEWHERE and room in ALONE.get(result, {room}):
            found.add(module)
            rest += graph.get(module, ())
    return sorted(found)


def code_hash(result: str, package: Path = ROOT / "vr180_ofx") -> str:
    """A hash of what the modules do, not of how they are written down."""
    files = layers_module().modules(package)
    digest = hashlib.sha256()
    for module in deciding(result, package):
        digest.update(module.encode() + _meaning(files[module].read_text(encoding="utf-8")).encode())
    return digest.hexdigest()[:16]


def _meaning(text: str) -> str:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
            and isinstance(body[0].value.value, str)
        ):
            del body[0]
    return ast.dump(tree)


def revision(result: str) -> int:
    """As `vr180_ofx.version` has it."""
    found = re.search(rf"^{result.upper()}_REVISION = (\d+)$", VERSION.read_text(encoding="utf-8"), re.M)
    assert found is not None, f"{VERSION} has no {result.upper()}_REVISION"
    return int(found[1])


def record() -> dict[str, Any]:
    """result -> revision, hash of the code, and by what it was seen that results did not change since the revision was raised."""
    known: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return known


def problem(result: str) -> str | None:
    """What is to be done about a revision, in words; None when all is well."""
    known, now = record()[result], (revision(result), code_hash(result))
    if (known["revision"], known["code"]) == now:
        return None
    name = f"{result.upper()}_REVISION"
    if known["revision"] != now[0]:
        return f"{name} is {now[0]}, and the record says {known['revision']}; run: python -m tests.revisions --raise {result}"
    return (
        f"the code that makes a {result} changed, and {name} is still {now[0]}. If results changed, or you do not know, run: "
        f"python -m tests.revisions --raise {result}. If they are the same to the bit: python -m tests.revisions --same {result} "
        "--because 'what was compared'"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raise", dest="raised", choices=sorted(RESULTS), action="append", default=[])
    parser.add_argument("--same", choices=sorted(RESULTS), action="append", default=[])
    parser.add_argument("--because", help="with --same: what was compared")
    arguments = parser.parse_args()
    if arguments.same and not arguments.because:
        parser.error("--same needs --because: what was compared, and came out the same to the bit")
    known = record() if RECORD.exists() else {}
    for result in arguments.raised:
        before = known.get(result, {}).get("revision", revision(result))
        new = max(revision(result), before + 1)
        text = VERSION.read_text(encoding="utf-8")
        VERSION.write_text(re.sub(rf"^({result.upper()}_REVISION = )\d+$", rf"\g<1>{new}", text, flags=re.M), encoding="utf-8")
        known[result] = {"revision": new, "code": code_hash(result), "same": []}
    for result in arguments.same:
        known[result]["code"] = code_hash(result)
        known[result]["same"].append(arguments.because)
    RECORD.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    for result in sorted(RESULTS):
        print(problem(result) or f"{result}: revision {revision(result)}, {len(deciding(result))} modules")


if __name__ == "__main__":
    main()
