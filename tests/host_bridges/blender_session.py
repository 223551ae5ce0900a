"""Blender as a module, with the add-on, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess

from tests.blender import BPY
from vr180_ofx.install import install

MODULE = "bl_ext.user_default.vr180_ofx"

HEAD = f"""
import bpy, json, os, sys, time
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.preferences.addon_enable(module="{MODULE}")
addon = sys.modules["{MODULE}"]
scene = bpy.context.scene
clip, out = sys.argv[1:3]
held = scene.vr180_matte
def pressed(operator, **kw):
    try:
        return sorted(operator(**kw)), scene.vr180_matte.status
    except RuntimeError as error:
        return "error", str(error)
"""


def blender(home, script, *arguments):
    """Runs a script in Blender with the add-on installed as a user installs it. Returns what it printed as JSON last."""
    extensions = home.folder / "extensions"
    if not extensions.exists():
        install("blender", extensions / "user_default")
    file = home.folder / "script.py"
    file.write_text(HEAD + script)
    env = {**os.environ, "BLENDER_USER_EXTENSIONS": str(extensions), "BLENDER_USER_RESOURCES": str(home.folder / "blender")}
    done = subprocess.run(
        [str(BPY), str(file), str(home.clip), str(home.folder / "out"), *arguments], capture_output=True, text=True, env=env
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return json.loads([line for line in done.stdout.splitlines() if line.startswith("{")][-1])
