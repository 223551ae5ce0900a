"""Run by Nuke at its start when it has a window."""

import nuke
import vr180_nuke

_toolbar = nuke.menu("Nodes")
if _toolbar is not None:
    _toolbar.addMenu("VR180").addCommand("VR180 Matte", vr180_nuke.create)
