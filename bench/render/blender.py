"""Blender's Python module without its types, which know objects by their base classes only."""

from __future__ import annotations

import importlib
from typing import Any

bpy: Any = importlib.import_module("bpy")
Matrix: Any = importlib.import_module("mathutils").Matrix
