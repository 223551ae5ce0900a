"""One frame's matte as a PNG file: python frames.py clip.mp4 120 matte.png [--view left] [--layer person01]

Starts the frame server when there is none. Needs `vr180_client.py` beside it (a copy of vr180_ofx/client.py) or the package.
"""

import argparse
import os

try:
    import vr180_client as vr180
except ImportError:
    from vr180_ofx import client as vr180

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("clip")
parser.add_argument("frame", type=int, help="counted from 0")
parser.add_argument("png")
parser.add_argument("--view", default="both", help="left, right, both")
parser.add_argument("--layer", default="A", help="A, confidence.A, or a person's name")
arguments = parser.parse_args()

link = vr180.Link(os.path.abspath(arguments.clip), said=print)
try:
    link.wait(progress=lambda done, total: print(f"finding the people: {done} of {total}", end="\r"))
    picture = link.frame(arguments.frame, view=arguments.view, layer=arguments.layer, format="png")
except (vr180.ServerProblem, vr180.ServerUnavailable) as error:
    raise SystemExit(str(error)) from None
with open(arguments.png, "wb") as stream:
    stream.write(picture.data)
print(f"{arguments.png}: {picture.width}x{picture.height}, {picture.quality}, {picture.made_with['tracker']}")
