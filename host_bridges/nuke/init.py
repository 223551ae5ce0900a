"""Run by Nuke at its start, with and without a window."""

import vr180_nuke

vr180_nuke.register()
