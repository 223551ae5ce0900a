"""What is known of the people in one frame between the tracker's step and their mattes: a value, of which stages make another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from vr180_ofx.matte.both_eyes import Group
from vr180_ofx.matte.composite import Claim
from vr180_ofx.matte.fusion import InstanceAlpha, InstanceMask
from vr180_ofx.matte.patch import Patch
from vr180_ofx.stereo.agreement import Agreement
from vr180_ofx.trackers.contract import Key, Mask, NetworkAlpha, WindowImage
from vr180_ofx.vr180.projection import Projection

#: People whom a matting network saw together: in which eye, and their numbers. Nobody is in two groups of an eye.
GroupId = tuple[str, tuple[int, ...]]
#: Where another mask of an eye's comes from.
Origin = Literal["reprocess", "transfer"]


@dataclass(frozen=True, slots=True, repr=False)
class FrameState:
    """Everybody in one frame. Keys are a person's number and a view.

    windows: how each is looked at. tracked: what the tracker says of each, (n, n) logits. projection: of the eyes' pictures, as large as
    mattes are made. shifts: person -> what the plan knows of their distance, see `epipolar.upright`; None: nothing.
    networks: group -> what a matting network says of everybody in it. groups: who belongs to which; who was seen by none is in none.
    masks: as ``tracked``, with what became of it since: what will be seen. alphas: those whom a network's alpha was shared out to, and who
    still go by it. agreements: person -> what both eyes say, once they were compared. replaced: whose mask is no longer their eye's own,
    and where it is from.
    """

    windows: Mapping[Key, WindowImage]
    tracked: Mapping[Key, Mask]
    projection: Projection
    shifts: Mapping[int, float | None]
    networks: Mapping[GroupId, NetworkAlpha]
    groups: Mapping[Key, GroupId]
    masks: Mapping[Key, Mask]
    alphas: Mapping[Key, InstanceAlpha] = field(default_factory=dict)
    agreements: Mapping[int, Agreement] = field(default_factory=dict)
    replaced: Mapping[Key, Origin] = field(default_factory=dict)

    @classmethod
    def of(
        cls, windows: Mapping[Key, WindowImage], tracked: Mapping[Key, Mask], projection: Projection, shifts: Mapping[int, float | None]
    ) -> FrameState:  # fmt: skip
        """After the tracker's step."""
        groups = {key: (key[1], mask.network_alpha.crop.members) for key, mask in tracked.items() if mask.network_alpha is not None}
        networks = {groups[key]: mask.network_alpha for key, mask in tracked.items() if mask.network_alpha is not None}
        return cls(windows, tracked, projection, shifts, networks, groups, tracked)

    def __post_init__(self) -> None:
        for name, keys in (("tracked", self.tracked.keys()), ("masks", self.masks.keys())):
            if keys != self.windows.keys():
                raise ValueError(f"{name} has {sorted(keys)} and windows has {sorted(self.windows)}; everybody needs both")
        if not self.alphas.keys() <= self.groups.keys() <= self.windows.keys():
            raise ValueError(f"alphas has {sorted(self.alphas)}; a network saw {sorted(self.groups)}, and there are {sorted(self.windows)}")
        if both := self.alphas.keys() & self.replaced.keys():
            raise ValueError(f"{sorted(both)} cannot go by a network's alpha and by another mask at once")

    def __repr__(self) -> str:
        sizes = ", ".join(f"{p} {view} {m.logits.shape}" for (p, view), m in self.masks.items())
        return f"FrameState([{sizes}], alphas={sorted(self.alphas)}, agreements={dict(self.agreements)}, replaced={dict(self.replaced)})"

    def together(self, key: Key) -> list[Key]:
        """Who goes by the same network's alpha as somebody, themselves included; empty when they go by none."""
        group = self.groups.get(key)
        return [k for k in self.alphas if self.groups[k] == group] if group is not None else []

    def seen_together(self) -> list[Group]:
        """What a matting network saw, and what the tracker says of everybody in it."""
        members: dict[GroupId, dict[int, InstanceMask]] = {}
        for key, group in self.groups.items():
            members.setdefault(group, {})[key[0]] = self._instance(key)
        return [Group(group[0], self.networks[group], masks) for group, masks in members.items()]

    def with_alphas(self, alphas: Mapping[Key, InstanceAlpha]) -> FrameState:
        """With what a network's alpha gives to some: they go by that, and so do their masks."""
        seen = {key: replace(self.masks[key], logits=alpha.logits(self.windows[key].window)) for key, alpha in alphas.items()}
        return replace(self, alphas={**self.alphas, **alphas}, masks={**self.masks, **seen})

    def with_agreements(self, agreements: Mapping[int, Agreement]) -> FrameState:
        """With what is said of some people now."""
        return replace(self, agreements={**self.agreements, **agreements})

    def with_masks(self, masks: Mapping[Key, Mask], origin: Origin) -> FrameState:
        """With other masks for some: they no longer go by a network's alpha."""
        return replace(
            self,
            masks={**self.masks, **masks},
            alphas={key: alpha for key, alpha in self.alphas.items() if key not in masks},
            replaced={**self.replaced, **dict.fromkeys(masks, origin)},
        )

    def claims(self, view: str, patches: Mapping[Key, Patch | None]) -> dict[int, Claim]:
        """Person -> their matte in an eye, and what the tracker says of them: what decides where two overlap."""
        return {
            key[0]: Claim(patch, self._instance(key), self.groups[key] if key in self.alphas else None)
            for key, patch in patches.items()
            if key[1] == view and patch is not None
        }

    def _instance(self, key: Key) -> InstanceMask:
        return InstanceMask(self.tracked[key].logits, self.windows[key].window)
