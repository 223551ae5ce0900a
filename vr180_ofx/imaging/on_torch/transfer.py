"""Many tensors brought to the host at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vr180_ofx.arrays import Array


def to_host(tensors: Sequence[Tensor]) -> list[Array]:
    """As NumPy's arrays, in their order; tensors of one device and of any types and shapes. Waits for the card once.

    From a graphics card they come down in one transfer to memory that the card writes to itself; arrays are parts of that, and it goes back
    to PyTorch, which uses it again, when the last of them is gone.
    """
    flat = [t.detach().contiguous() for t in tensors]
    if not any(t.is_cuda for t in flat):
        return [t.cpu().numpy() for t in flat]
    # the widest types first: then everything lies where its type can begin
    order = sorted(range(len(flat)), key=lambda k: -flat[k].element_size())
    data = torch.cat([flat[k].reshape(-1).view(torch.uint8) for k in order])
    down = torch.empty(data.shape, dtype=torch.uint8, pin_memory=True)
    down.copy_(data, non_blocking=True)
    torch.cuda.current_stream(data.device).synchronize()
    out: dict[int, Array] = {}
    begin = 0
    for k in order:
        end = begin + flat[k].numel() * flat[k].element_size()
        out[k] = down[begin:end].view(flat[k].dtype).view(flat[k].shape).numpy()
        begin = end
    return [out[k] for k in range(len(flat))]
