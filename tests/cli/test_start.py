"""Ctrl+C before the program has begun."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.conftest import DEMO
from vr180_ofx.storage import weights_folder

#: As the command `vr180-ofx` does, with a word when Python itself is ready: what it says to a signal before that is not ours.
START = "from vr180_ofx.cli import start; print('ready', flush=True); raise SystemExit(start.main())"


@pytest.mark.skipif(sys.platform == "win32", reason="no process sends Ctrl+C to another one here")
@pytest.mark.parametrize("delay_s", [0.0, 0.05, 0.1, 0.2, 0.35, 0.5])
def test_an_interrupt_while_modules_are_loaded_ends_it_without_a_traceback(tmp_path, delay_s):
    command = [sys.executable, "-c", START, "render", str(DEMO), "-o", str(tmp_path / "out")]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "ready\n"
    time.sleep(delay_s)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert "Traceback" not in said and "Error" not in said, said
    # by the signal itself, which shells call 130; or with words, once the command runs
    assert child.returncode == -signal.SIGINT or (child.returncode == 5 and "interrupted" in said), (child.returncode, said)


def test_a_process_that_ignores_interrupts_goes_on_ignoring_them():
    """As behind `nohup`, or `&` in a script."""
    code = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); {START}"
    child = subprocess.Popen([sys.executable, "-c", code, "--version"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "ready\n"
    if sys.platform != "win32":
        child.send_signal(signal.SIGINT)
    said, _ = child.communicate(timeout=60)
    assert child.returncode == 0 and said.startswith("vr180-ofx")


#: As a module in C ends whose loading is interrupted: the interrupt is gone, and an error of the module's is there instead.
BROKEN = """
import os, signal, time
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(10)
except KeyboardInterrupt:
    raise ImportError("initialization failed") from None
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no process sends Ctrl+C to another one here")
def test_an_interrupt_that_a_library_takes_for_its_own_fault_is_an_interrupt(tmp_path):
    (tmp_path / "openvino.py").write_text(BROKEN)
    environment = os.environ | {
        "PYTHONPATH": str(tmp_path),
        "VR180_OFX_CACHE": str(tmp_path / "cache"),
        "VR180_OFX_WEIGHTS": str(weights_folder()),
    }
    command = [sys.executable, "-m", "vr180_ofx", "analyse", str(DEMO), "-o", str(tmp_path / "plan.json")]
    child = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100)
    assert child.returncode == 5 and "interrupted" in child.stderr and "Traceback" not in child.stderr, child.stderr
