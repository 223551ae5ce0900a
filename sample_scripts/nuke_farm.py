"""Renders every Write of a script without a window: nuke -t nuke_farm.py script.nk 1-48

Each VR180 Matte above a Write brings its final matte before the frame is made; when it cannot be had the render fails with a reason.
"""

import sys

import nuke

script = sys.argv[1] if len(sys.argv) > 1 else ""
if not script:
    raise SystemExit("name a script: nuke -t nuke_farm.py script.nk 1-48")
nuke.scriptOpen(script)
first, _, last = (sys.argv[2] if len(sys.argv) > 2 else "").partition("-")
for write in nuke.allNodes("Write"):
    disabled = write.knob("disable")
    if disabled is None or not disabled.value():
        nuke.execute(write, int(first or nuke.root().firstFrame()), int(last or nuke.root().lastFrame()))
