"""Pictures on their way to a device, and those that a decoder of the device holds already.

What is copied to lies in PyTorch's caches: memory of frames that nobody holds any more is used for the next ones, after what was
asked of it is done. So there is no ring of a fixed length, in which a frame could be overwritten that somebody still looks at.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import torch
from torch import Tensor
from torch.utils.dlpack import from_dlpack

from vr180_ofx.arrays import Array


def upload(values: Array, device: str) -> Tensor:
    """A copy on a device, of the same type; unsigned integers of 8 and 16 bits, halves and floats.

    To a graphics card it goes through memory that the card reads by itself (pinned), in the stream that is current; the thread goes on.
    """
    staged = torch.empty(values.shape, dtype=_KIND[values.dtype.name], pin_memory=device.startswith("cuda"))
    # NumPy copies rows that lie apart, and memory that may not be written to; PyTorch has no arrays of either kind
    staged.numpy()[...] = values
    return staged if device == "cpu" else staged.to(device, non_blocking=True)


class Surfaces:
    """What a decoder has put out on its device, copied to planes of our own, so that its pool of surfaces is never waited for."""

    def __init__(self, device: str) -> None:
        """device: with its number, such as cuda:0, cpu."""
        self._device = torch.device(device)
        #: Pictures of the decoder that are being copied from, and what is reached when that is done.
        self._held: deque[tuple[torch.cuda.Event, Any]] = deque()

    def take(self, luma: Any, chroma: Any, bits: int, owner: object) -> tuple[Tensor, Tensor, Tensor]:
        """The three planes of a picture in 4:2:0, (h, w) and twice (h / 2, w / 2), uint8 or uint16 with ``bits`` in the lower ones.

        luma, chroma: of a picture in NV12, P010 or P016, as DLPack hands them over: (h, w) and (h / 2, w / 2, 2), the latter two with their
        bits in the upper ones. owner: what holds them; it is held until they are copied. Raises ValueError for samples of another size.
        """
        cuda = self._device.type == "cuda"
        if cuda:
            # FFmpeg asks for its surfaces in the default stream
            current = torch.cuda.current_stream(self._device)
            current.wait_stream(torch.cuda.default_stream(self._device))
        # as capsules: PyAV does not take the stream that `from_dlpack` would pass to the planes themselves
        y, uv = (from_dlpack(plane.__dlpack__()) for plane in (luma, chroma))
        if (y.dtype == torch.uint8) != (bits == 8):
            raise ValueError(f"samples of {bits} bits came as {str(y.dtype).removeprefix('torch.')}")
        made = tuple(_lowered(plane, bits) for plane in (y, uv[..., 0], uv[..., 1]))
        if cuda:
            self._held.append((current.record_event(), (owner, y, uv)))
            self._release()
        return made  # type: ignore[return-value]

    def _release(self) -> None:
        while self._held and self._held[0][0].query():  # type: ignore[no-untyped-call]
            self._held.popleft()

    def close(self) -> None:
        """Waits until nothing of the decoder's is in use."""
        while self._held:
            self._held.popleft()[0].synchronize()


#: PyTorch's types by NumPy's names.
_KIND = {
    "uint8": torch.uint8, "uint16": torch.uint16, "float16": torch.float16, "float32": torch.float32,
}  # fmt: skip


def _lowered(plane: Tensor, bits: int) -> Tensor:
    """A copy; of 16 bits a sample the upper ``bits``."""
    if plane.dtype != torch.uint16 or bits == 16:
        return plane.clone(memory_format=torch.contiguous_format)
    # as signed numbers, which PyTorch can shift; what comes in from the sign is taken off again
    return ((plane.view(torch.int16) >> (16 - bits)) & ((1 << bits) - 1)).contiguous().view(torch.uint16)
