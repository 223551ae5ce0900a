"""Blender as a module, in an environment of its own: another program that opens our files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

BPY = Path(__file__).resolve().parents[1] / ".venv-bpy" / "bin" / "python"
#: A scene whose compositor is empty, and what it writes: float EXR of WIDTH x HEIGHT.
COMPOSITOR = """
import bpy, sys
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.use_nodes = True
tree = scene.node_tree
tree.nodes.clear()
scene.camera = bpy.data.objects.new('camera', bpy.data.cameras.new('camera'))
scene.collection.objects.link(scene.camera)
settings = scene.render.image_settings
settings.file_format, settings.color_depth, settings.color_mode = 'OPEN_EXR', '32', 'RGBA'
scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = WIDTH, HEIGHT, 100
"""


def run_in_blender(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a script printed. Skips the test where Blender is not installed."""
    if not BPY.exists():
        pytest.skip("Blender as a module is not installed; run: make setup-hosts")
    return subprocess.run([str(BPY), "-c", script, *arguments], capture_output=True, text=True, timeout=240)
