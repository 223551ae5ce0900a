"""What runs inside hosts, as files to be copied there by `vr180_ofx.install`. Installed as `vr180_ofx.bridges`.

Nothing in the folders below imports the program.
"""
