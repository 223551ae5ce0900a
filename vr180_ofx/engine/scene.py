"""A plan, and what follows from it for the engine: one value, so that a corrected plan takes effect at once for everybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from vr180_ofx.engine.chunks import ChunkPlan
from vr180_ofx.engine.everybody import layer_names
from vr180_ofx.engine.keys import Chain, frame_key
from vr180_ofx.engine.maker import Remembering
from vr180_ofx.engine.painted import PaintedPrompts
from vr180_ofx.engine.scheduler import Quality
from vr180_ofx.people.plan import Plan


@dataclass(frozen=True, slots=True)
class Scene:
    """chunks: how the clip is divided. chain: what memory depends on. names: person's number -> what they are called. finish: what
    decides frames beside memory (see `keys.frame_key`). exact_after: of the network. paint: the painted mattes that the network is shown,
    as they were when the chain was begun.
    """

    plan: Plan = field(repr=False)
    chunks: ChunkPlan = field(repr=False)
    chain: Chain = field(repr=False)
    names: Mapping[int, str]
    finish: str
    exact_after: int | None
    paint: PaintedPrompts | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls, plan: Plan, clip: str, network: Remembering, *, chunk_size: int, overlap: int, finish: str,
        facts: Callable[[int], bytes] | None = None, paint: PaintedPrompts | None = None,
    ) -> Scene:  # fmt: skip
        """clip: its fingerprint. chunk_size, overlap: see `ChunkPlan`. facts: what the network is shown of the plan, see `Recipe.facts`;
        None: `Plan.facts`.
        """
        return cls(
            plan,
            ChunkPlan(plan.shots, chunk_size, overlap),
            Chain(facts or plan.facts, f"{clip}|{network.identity()}", network.looks_ahead),
            layer_names(plan),
            finish,
            network.exact_after,
            paint,
        )

    def key(self, n: int, quality: Quality) -> str:
        """See `keys.frame_key`."""
        return frame_key(n, quality, chunks=self.chunks, chain=self.chain, exact_after=self.exact_after, finish=self.finish)
