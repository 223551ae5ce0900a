"""The sections that decide how the work is done, and what is said about it: hardware, performance, debugging, service."""

from __future__ import annotations

import os
from typing import Literal

from vr180_ofx.settings.traits import Section, setting


class HardwareSettings(Section):
    """What the work runs on."""

    device: str = setting(
        "auto",
        pixels="networks",
        http=False,
        pattern=r"^(auto|cpu|mps|cuda(:\d{1,3})?)$",
        description="auto, cpu, cuda, cuda:1, mps: what SAM 2 and YOLO run on. The embedded models run on the CPU.",
    )
    # H.264, HEVC, VP9 and AV1 say what a decoder gives to the bit
    decoder: Literal["auto", "cpu", "gpu"] = setting(
        "auto",
        pixels="no",
        http=False,
        description="gpu: decode with the graphics card (NVDEC, VideoToolbox, Direct3D, VA-API) where it can; else the CPU takes over. "
        "auto: so where hardware.device is a CUDA device, whose frames then stay on it; elsewhere by the CPU.",
    )
    compile: bool = setting(
        False,
        pixels="networks",
        http=False,
        description="Compile SAM 2's image encoder: a minute once, kept for later runs; needs a C++ compiler. What RVM runs on is not.",
    )
    max_vram_gb: float = setting(10, pixels="no", http=False, gt=0, le=4096, description="Memory of the GPU that may be used.")
    # each call of a network runs on one thread: the last bits do not depend on how many calls run at once
    threads: int = setting(0, pixels="no", http=False, ge=0, le=1024, description="0 is one per core.")

    @property
    def threads_here(self) -> int:
        """``threads``, with one per core counted."""
        return self.threads or os.cpu_count() or 1

    def decodes_on_gpu(self, device: str | None) -> bool:
        """device: where frames are worked on; None: in the CPU's memory. Bringing them down costs more than the CPU takes to decode."""
        return self.decoder == "gpu" or (self.decoder == "auto" and device is not None and device.startswith("cuda"))


class PerformanceSettings(Section):
    """Measuring."""

    profile_enabled: bool = setting(
        True, pixels="no", http=False, description="Count the time of each stage, for a render's report and for `render --profile`."
    )
    price_per_hour: float | None = setting(
        None, pixels="no", http=False, ge=0, description="What an hour of this machine costs, for `estimate`."
    )
    preserve_intermediates: bool = setting(
        False, pixels="no", http=False, effect=False, description="Kept for older config files; without effect."
    )


class DebuggingSettings(Section):
    """Looking inside."""

    log_intermediate_workflow: bool = setting(
        False, pixels="no", http=False, effect=False, description="Kept for older config files; without effect."
    )
    save_detection_visualization: bool = setting(
        False, pixels="no", http=False, description="Leave a contact sheet of boxes, ids and windows beside the output."
    )
    frame_count_validation: bool = setting(
        True, pixels="no", http=False, description="Check after rendering that output frames equal input frames."
    )


class ServiceSettings(Section):
    """The frame server and its caches."""

    host: str = setting(
        "127.0.0.1", pixels="no", http=False, description="The address to listen on; anything but loopback lets other machines in."
    )
    port: int = setting(0, pixels="no", http=False, ge=0, le=65535, description="0 takes a free one.")
    token_file: str | None = setting(
        None,
        pixels="no",
        http=False,
        description="Where the access token is kept, for the user alone; by default each server has its own.",
    )
    allowed_roots: tuple[str, ...] = setting(
        (), pixels="no", http=False, description="Folders that clips may be read from and renders written to."
    )
    cache_dir: str | None = setting(
        None, pixels="no", http=False, description="Where frames and checkpoints are kept; by default the user's cache folder."
    )
    cache_gb: float = setting(50, pixels="no", http=False, ge=0, le=100_000, description="What may be kept there.")
    max_clips: int = setting(
        8, pixels="no", http=False, ge=1, le=1000, description="Clips open at once; the one that was not asked for longest is closed first."
    )
    max_renders: int = setting(
        32, pixels="no", http=False, ge=0, le=100_000,
        description="Renders that may wait while another one runs; beyond that a request for one is answered 503.",
    )  # fmt: skip
    max_requests_per_second: float = setting(
        500, pixels="no", http=False, gt=0, le=1e6, description="What one client may ask, on average over ten seconds."
    )
    prefetch: int = setting(4, pixels="no", http=False, ge=0, le=1000, description="Frames made ahead in the direction of scrubbing.")
