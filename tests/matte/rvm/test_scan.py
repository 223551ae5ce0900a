"""The selective scan, against walking through positions one after the other."""

from __future__ import annotations

import importlib.util
import warnings

import pytest

pytest.importorskip("torchvision", reason="the extra rvm is not installed")
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vr180_ofx.matte.rvm import scan
from vr180_ofx.matte.rvm.scan import by_kernel, doubled_scan, linear_scan, selective_scan
from vr180_ofx.matte.rvm.scan_in_openvino import CHUNK
from vr180_ofx.matte.rvm.trace import converted
from vr180_ofx.weights.inference import openvino


def one_after_the_other(x, delta, a, b, c, d):
    """Mamba's equation 2, with h a state for each channel: nothing else is in here."""
    groups, batch, positions, channels = x.shape
    h = torch.zeros(groups, batch, channels, a.shape[2], dtype=x.dtype)
    seen = []
    for t in range(positions):
        step = delta[:, :, t, :, None]
        h = torch.exp(step * a[:, None]) * h + step * b[:, :, t, None, :] * x[:, :, t, :, None]
        seen.append((h * c[:, :, t, None, :]).sum(-1))
    return torch.stack(seen, dim=2) + d[:, None, None] * x


def inputs(groups, batch, positions, channels, states, seed, dtype=torch.float64):
    made = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=made, dtype=torch.float64)

    # from states that forget at once to such that hardly forget
    delta = torch.exp(1.5 * normal(groups, batch, positions, channels) - 2)
    a = -torch.exp(normal(groups, channels, states))
    parts = [
        normal(groups, batch, positions, channels), delta, a, normal(groups, batch, positions, states),
        normal(groups, batch, positions, states), normal(groups, channels),
    ]  # fmt: skip
    return [p.to(dtype).requires_grad_() for p in parts]


def in_chunks(parts, chunk):
    x, delta, a, b, c, d = parts
    return selective_scan(x, delta, a, b, c, d, chunk)


sizes = st.fixed_dictionaries({
    "groups": st.integers(1, 3), "batch": st.integers(1, 2), "positions": st.integers(1, 90), "channels": st.integers(1, 4),
    "states": st.integers(1, 3), "seed": st.integers(0, 10**6),
})  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(sizes, st.integers(2, 40))
def test_forwards_and_backwards_it_is_what_one_step_after_the_other_gives(size, chunk):
    """Whatever the length, multiples of a chunk or not: to 1e-9 in float64."""
    ours, theirs = inputs(**size), inputs(**size)
    weight = torch.randn(ours[0].shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    made, expected = in_chunks(ours, chunk), one_after_the_other(*theirs)
    assert float((made - expected).detach().abs().max()) < 1e-9
    (made * weight).sum().backward()
    (expected * weight).sum().backward()
    for mine, other in zip(ours, theirs, strict=True):
        assert float((mine.grad - other.grad).abs().max()) < 1e-9 * max(1.0, float(other.grad.abs().max()))
    # without gradients, and as it is written into programs
    with torch.no_grad():
        assert float((in_chunks(ours, chunk) - expected).abs().max()) < 1e-9


def test_long_ones_neither_overflow_nor_drift():
    """As many positions as a picture of 384² has at 1/4, in float32, with states that hardly forget and such that forget at once."""
    exact = inputs(2, 1, 9216, 2, 1, seed=5)
    coarse = [p.detach().float() for p in exact]
    with torch.no_grad():
        made, expected = selective_scan(*coarse), one_after_the_other(*(p.detach() for p in exact))
    assert float((made - expected).abs().max()) < 1e-4 * float(expected.abs().max())


def test_in_openvino_it_is_the_same_for_any_number_of_positions():
    """Chunks that are full, one position more, and less than one."""
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.jit.trace(Operation(), (torch.rand(2, 5, 3), torch.rand(2, 5, 3)), check_trace=False)
    run = openvino().Core().compile_model(converted(program), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for rows, positions in ((2, 7), (1, CHUNK), (3, CHUNK + 1), (2, 5 * CHUNK - 1), (1, 9216)):
        decay, added = torch.rand(rows, positions, 3), torch.randn(rows, positions, 3)
        expected = linear_scan(decay.double(), added.double()).float()
        assert float((torch.from_numpy(run([decay.numpy(), added.numpy()])[0]) - expected).abs().max()) < 1e-5


def test_a_recurrence_is_walked_through():
    decay, added = torch.rand(2, 37, 3, dtype=torch.float64), torch.randn(2, 37, 3, dtype=torch.float64)
    h, states = torch.zeros(2, 3, dtype=torch.float64), []
    for t in range(37):
        h = decay[:, t] * h + added[:, t]
        states.append(h)
    assert float((doubled_scan(decay, added) - torch.stack(states, 1)).abs().max()) < 1e-12
    assert float((linear_scan(decay, added, 4) - torch.stack(states, 1)).abs().max()) < 1e-12


class Operation(torch.nn.Module):
    def forward(self, decay, added):
        return torch.ops.vr180_ofx.linear_scan(decay, added)


def test_half_precision_is_kept_outside_alone():
    exact = [p.detach().float() for p in inputs(1, 1, 400, 3, 1, seed=2)]
    half = selective_scan(*(p.bfloat16() for p in exact))
    from_half = selective_scan(*(p.bfloat16().float() for p in exact))
    assert half.dtype == torch.bfloat16
    # what was computed is that of the rounded numbers, rounded once
    assert torch.equal(half, from_half.bfloat16())


def documented(u, delta, a, b, c, d):
    """mamba-ssm's ``selective_scan_ref`` by its documentation: u, delta (B D L), A (D N), B and C (B G N L), D (D)."""
    batch, dim, length = u.shape
    groups = b.shape[1]
    b, c = (t.repeat_interleave(dim // groups, dim=1) for t in (b, c))
    h, seen = u.new_zeros(batch, dim, a.shape[1]), []
    for t in range(length):
        h = torch.exp(delta[:, :, t, None] * a) * h + delta[:, :, t, None] * b[..., t] * u[:, :, t, None]
        seen.append((h * c[..., t]).sum(-1))
    return torch.stack(seen, dim=-1) + d[:, None] * u


def test_the_kernel_of_mamba_is_given_what_it_documents():
    """That package needs a graphics card; what it is given is laid out as it says."""
    parts = inputs(3, 2, 21, 4, 2, seed=8)
    assert float((by_kernel(documented, *parts) - one_after_the_other(*parts)).detach().abs().max()) < 1e-12


def test_where_it_cannot_be_loaded_there_is_none(monkeypatch, tmp_path):
    if scan.look_for_kernel() is not None:
        pytest.skip("mamba-ssm is installed")
    # one that was built for something else, beside a card
    (tmp_path / "mamba_ssm").mkdir()
    (tmp_path / "mamba_ssm" / "__init__.py").write_text("raise ImportError('undefined symbol')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert importlib.util.find_spec("mamba_ssm") is not None and scan.look_for_kernel() is None
