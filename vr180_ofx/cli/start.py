"""Where the command begins: before anything is loaded, Ctrl+C simply ends it."""

import signal


def main() -> int:
    """Runs a command, see `cli.main`. Returns its exit status.

    Modules take half a second to load, and an interrupt in the middle of one is a traceback that tells nobody anything. Until the command
    itself runs, the process ends by the signal, as any program does that has not begun: shells call that 130.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from vr180_ofx.cli.main import main as run

    return run()
