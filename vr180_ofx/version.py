"""The version of the program, and the revisions of its results. Imports nothing: the build reads it."""

__version__ = "0.2.0"
#: Raised whenever the same clip and settings begin to give another plan, or the same plan other mattes: results of different
#: revisions are never mixed, in caches or in a render that goes on.
PLAN_REVISION = 19
MATTE_REVISION = 26
#: Raised whenever the same mattes begin to come out of their controls (edges and what else is done after matting) differently.
CONTROLS_REVISION = 13
#: Raised whenever the same mattes begin to give other bytes in output files.
WRITER_REVISION = 7
