"""The section of what is done to edges after matting: edges."""

from __future__ import annotations

from vr180_ofx.settings.traits import Section, setting

#: Sizes that hosts' sliders offer and that a matte of one person survives; more is another matte.
MOST_PX = 20.0


class EdgesSettings(Section):
    """What is done to everybody's edges after matting; no network runs for it. The plan has values of its own, for frames and people."""

    size: float = setting(
        0.0, pixels="yes", http=True, ge=-MOST_PX, le=MOST_PX, description="Pixels by which mattes grow; below 0 they shrink."
    )
