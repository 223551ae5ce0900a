import subprocess
import sys

CODE = """
import sys
from vr180_ofx.imaging.threads import limit_threads
assert "cv2" not in sys.modules
limit_threads(1)
import cv2
assert cv2.getNumThreads() == 1
"""


def test_opencv_is_told_and_not_imported_before():
    """In a process of its own: the number is that of the whole process."""
    assert subprocess.run([sys.executable, "-c", CODE], check=False).returncode == 0
