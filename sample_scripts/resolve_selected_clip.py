"""In Resolve's console (Workspace > Console, Py3), or as a script of your own: the matte of the selected clip, without the panel.

Set FOLDER to what `vr180-ofx install resolve` has said.
"""

import os
import sys

FOLDER = os.path.expanduser("~/.local/share/DaVinciResolve/Fusion/Modules/vr180_ofx")
sys.path.insert(0, FOLDER)
import run_resolve
import vr180_resolve

resolve = globals().get("resolve") or sys.modules["__main__"].__dict__["resolve"]
clip, item = run_resolve.chosen(resolve)
job = vr180_resolve.Job(
    str(clip.GetClipProperty("File Path")), lambda files, values, facts: run_resolve.bring_in(resolve, clip, item, files)
)
job.values["max_people"] = 2
vr180_resolve.without_panel(job, print)
