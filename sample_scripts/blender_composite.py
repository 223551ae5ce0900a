"""From an empty scene to composited frames of both eyes: blender -b -P blender_composite.py -- clip.mp4 out/ [FRAME ...]

The add-on must be installed (`vr180-ofx install blender`). The people are put over a plain colour, so that the matte's edges can be judged.
"""

import os
import sys
from typing import Any

import bpy

words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
clip, out, frames = os.path.abspath(words[0]), os.path.abspath(words[1]), [int(w) for w in words[2:]] or [1]

bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.preferences.addon_enable(module="bl_ext.user_default.vr180_ofx")
# the add-on gives scenes and operators what Blender itself does not know
scene: Any = bpy.context.scene
operators: Any = bpy.ops
matte = scene.vr180_matte
matte.clip, matte.folder = clip, os.path.join(out, "mattes")
matte.frames = ",".join(str(f) for f in frames)
for step in (operators.vr180.analyse, operators.vr180.render, operators.vr180.composite):
    print(step.idname_py(), *step(), matte.status)

# people over a plain colour, behind what the add-on has built
tree = scene.node_tree
output = next(n for n in tree.nodes if n.bl_idname == "CompositorNodeComposite")
people = output.inputs["Image"].links[0].from_socket
over = tree.nodes.new("CompositorNodeAlphaOver")
over.use_premultiply = True
over.inputs[1].default_value = (0.05, 0.25, 0.35, 1)
tree.links.new(people, over.inputs[2])
tree.links.new(over.outputs[0], output.inputs["Image"])

scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
scene.collection.objects.link(scene.camera)
scene.render.engine = "BLENDER_WORKBENCH"
scene.view_settings.view_transform = "Standard"
image = scene.render.image_settings
image.file_format, image.color_mode = "PNG", "RGB"
image.views_format = "STEREO_3D"
image.stereo_3d_format.display_mode = "SIDEBYSIDE"
for frame in frames:
    scene.frame_set(frame)
    scene.render.filepath = os.path.join(out, f"composite.{frame:04d}.png")
    bpy.ops.render.render(write_still=True)
    print(scene.render.filepath)
