"""The benchmark's own environment, with Blender as a module (`make setup-bench`)."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-bench" / "bin" / "python"
