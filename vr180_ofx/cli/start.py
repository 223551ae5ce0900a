"""Where the command begins: before anything is loaded, Ctrl+C simply ends it.

Only what starts a process imports this module (the command `vr180-ofx`, `python -m vr180_ofx`), since that alone already changes what an
interrupt does: modules take half a second to load, and an interrupt in the middle of one is a traceback that tells nobody anything. Until
the command itself runs, the process ends by the signal, as any program does that has not begun: shells call that 130.
"""

import signal

# a process that ignores interrupts, as behind `nohup`, goes on ignoring them
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def main() -> int:
    """Runs a command, see `cli.main`. Returns its exit status."""
    from vr180_ofx.cli.main import main as run

    return run()
