"""Decoded frames put where the stages work on them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from vr180_ofx.arrays import Array
from vr180_ofx.imaging.either import is_tensor
from vr180_ofx.media.contract import SourceFrame


def on_device(frame: SourceFrame, device: str | None) -> SourceFrame:
    """The frame with its planes as tensors on a device, of the types that they have; of one that is there already as it is.

    device: as PyTorch names it, see `weights.device.Machine.pictures`; None: as it is, in NumPy's arrays. To a graphics card planes
    are sent in the stream that is current, and the thread does not wait.
    """
    if device is None or all(is_tensor(eye.like) for eye in frame.eyes.values()):
        return frame
    from vr180_ofx.imaging.on_torch.upload import upload

    sent: dict[int, Any] = {}

    def once(array: Array) -> Any:
        """Eyes that lie in one picture share its planes."""
        if id(array) not in sent:
            sent[id(array)] = upload(array, device)
        return sent[id(array)]

    return replace(frame, eyes={view: eye.moved(once) for view, eye in frame.eyes.items()})
