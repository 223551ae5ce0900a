"""A network of 40 weights that learns to tell bright squares from their ground, and its data: small enough to be trained in a test."""

from __future__ import annotations

import numpy as np
import torch
from pydantic import ConfigDict
from torch import nn

from vr180_ofx.settings.traits import Section
from vr180_ofx.training.sections import checked


class Options(Section):
    model_config = ConfigDict(extra="forbid", frozen=True)

    norm: bool = True
    dropout: float = 0.0
    spoil: int = -1
    hungry: bool = False
    spoilt_evaluation: bool = False


class Network(nn.Module):
    def __init__(self, norm, dropout):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4) if norm else nn.GroupNorm(1, 4), nn.ReLU(), nn.Dropout(dropout)
        )
        self.head = nn.Conv2d(4, 1, 1)

    def forward(self, x):
        return self.head(self.body(x.flatten(0, 1))).unflatten(0, x.shape[:2])


class Squares:
    """See `contract.Task`."""

    name = "squares"

    def __init__(self, options, losses):
        self.options = checked(Options, options, "network")
        self.weights = dict(losses) or {"l1": 1.0}

    def build(self):
        return Network(self.options.norm, self.options.dropout)

    def losses(self, network, batch, step):
        alpha = network(batch["source"]).sigmoid()
        loss = (alpha - batch["alpha"]).abs().mean()
        if self.options.hungry:
            # a petabyte: there is none
            torch.empty(2**50, dtype=torch.uint8)
        if step == self.options.spoil:
            loss = loss * float("nan")
        return {name: weight * loss for name, weight in self.weights.items()}

    def evaluate(self, network, batch):
        if self.options.spoilt_evaluation:
            return {"loss": float("nan")}
        return {"loss": float((network(batch["source"]).sigmoid() - batch["alpha"]).abs().mean())}

    def pictures(self, network, batch):
        return torch.cat([batch["source"][0, 0], batch["alpha"][0, 0].expand(3, -1, -1)], dim=2)


class Noise:
    """See `contract.Source`. A square in noise."""

    def __init__(self, path, options, shape):
        more = path / "more.txt"
        self.count, self.shape = int(options.get("count", 10)) + (int(more.read_text()) if more.exists() else 0), shape

    def __len__(self):
        return self.count

    def sample(self, index, random):
        s = self.shape
        alpha = np.zeros((s.frames, s.height, s.width), np.uint8)
        x, y = random.integers(0, s.width - 6), random.integers(0, s.height - 6)
        alpha[:, y : y + 6, x : x + 6] = 255
        picture = random.integers(0, 100, (s.frames, s.height, s.width, 3), dtype=np.uint8) + (alpha[..., None] // 2)
        return {"source": picture, "alpha": alpha}

    def augment(self, batch, generator):
        gain = 0.8 + 0.4 * torch.rand(len(batch["source"]), 1, 1, 1, 1, generator=generator, device=generator.device)
        return {**batch, "source": (batch["source"] * gain).clamp(0, 1)}


def recipe(**more):
    """What a recipe for it holds."""
    return {
        "name": "small", "task": "tests.training.small:Squares",
        "data": {"noise": {"kind": "tests.training.small:Noise", "path": "."}, "other": {"kind": "tests.training.small:Noise", "path": ".", "count": 3}},
        "stages": {
            "first": {"sources": {"noise": 2, "other": 1}, "steps": 12, "batch": 4, "size": 16, "rate": 0.05, "warm_up": 2},
            "second": {"sources": {"noise": {"weight": 1, "frames": 2}}, "steps": 6, "batch": 2, "size": 16, "rate": 0.02},
        },
        "evaluation": {"sources": ["other"], "every": 6, "samples": 2, "size": 16},
        "checkpoints": {"every": 4}, "log": {"every": 1, "pictures": 0, "tensorboard": False},
        "machine": {"device": "cpu", "threads": 1}, **more,
    }  # fmt: skip
