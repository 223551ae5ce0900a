"""The client is one file that works in the Python of hosts."""

import ast
import re
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "vr180_ofx" / "client.py"


def test_it_imports_nothing_but_the_standard_library():
    tree = ast.parse(SOURCE.read_text(), feature_version=(3, 9))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.name.partition(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    assert names <= set(sys.stdlib_module_names), names


def test_annotations_are_never_evaluated():
    """`X | None` in an annotation is an error before Python 3.10 unless they are strings."""
    tree = ast.parse(SOURCE.read_text())
    first = next(n for n in tree.body if isinstance(n, ast.ImportFrom))
    assert first.module == "__future__" and first.names[0].name == "annotations"
    outside = [n for n in ast.walk(tree) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.BitOr)]
    annotated = {
        id(x) for n in ast.walk(tree) for a in (getattr(n, "annotation", None), getattr(n, "returns", None)) if a for x in ast.walk(a)
    }
    # flags of os and subprocess are numbers
    types = [n for n in outside if not re.match(r"(os|subprocess|fcntl)\.|getattr\(os,", ast.unparse(n.right))]
    assert all(id(n) in annotated for n in types)


def test_it_stands_alone(tmp_path):
    """Copied somewhere else it can still be imported."""
    import subprocess

    (tmp_path / "vr180_client.py").write_text(SOURCE.read_text())
    code = "import vr180_client, sys; print(any(m.startswith('vr180_ofx') for m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"
