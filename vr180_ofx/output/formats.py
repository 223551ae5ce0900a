"""The writers by the names of ``output.format``."""

from __future__ import annotations

from vr180_ofx.output.contract import Job, Writer


def make_writer(job: Job) -> Writer:
    """The writer that ``output.format`` names."""
    name = job.settings.output.format
    if name == "exr":
        from vr180_ofx.output.exr_output import ExrOutput

        return ExrOutput(job)
    if name in ("alpha", "foreground", "greenscreen_png"):
        from vr180_ofx.output.png import PngOutput

        return PngOutput(job)
    from vr180_ofx.output.video import VideoOutput

    return VideoOutput(job)
