"""The command line as a user meets it."""

from vr180_ofx.cli.main import main


def cli(capsys, *words):
    """(exit status, standard output, standard error) of a command that must not end in a traceback."""
    try:
        status: int | str | None = main(list(words))
    except SystemExit as stop:
        status = stop.code
    out = capsys.readouterr()
    assert "Traceback" not in out.err and "should not happen" not in out.err, out.err
    return status, out.out, out.err
