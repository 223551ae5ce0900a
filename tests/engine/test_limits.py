"""Memory that runs short: what is given up, in which order, and that it is said."""

from types import SimpleNamespace

import numpy as np
import pytest

from vr180_ofx.engine.limits import (
    LEVELS,
    MEMORY,
    Ladder,
    cache_budget,
    decoder_bytes,
    explained,
    fitting,
    hold_pytorch,
    room_for_batches,
    shortage,
)  # fmt: skip
from vr180_ofx.engine.plans import analyse
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.errors import DeviceLostError, ResourceError, SettingsError
from vr180_ofx.media.open import open_clip
from vr180_ofx.settings import Settings
from vr180_ofx.telemetry import free_bytes


class Meter:
    def __init__(self):
        self.used = 0

    def __call__(self):
        return self.used


@pytest.fixture(scope="module")
def scene(people_clip):
    with open_clip(people_clip) as clip:
        plan = analyse(clip)
        with FrameServer(clip, plan) as server:
            yield clip, plan, [server.request(n).result() for n in range(5)]


def test_first_what_is_kept_then_how_much_at_once_then_resolution(scene):
    clip, plan, reference = scene
    meter = Meter()
    with FrameServer(clip, plan, ladder=Ladder(1000, meter)) as server:
        assert server.request(0).result().same(reference[0])
        meter.used = 950
        first = server.request(1).result()
        assert first.metadata["degradations"] == LEVELS[1].name and first.same(reference[1])
        second = server.request(2).result()
        assert second.metadata["degradations"] == LEVELS[2].name and second.same(reference[2])
        assert len(server._frames) == 0 and len(server._checkpoints) == 0
        third = server.request(3).result()
        assert "scale 0.5" in third.metadata["degradations"] and not third.same(reference[3])
        fourth = server.request(4).result()
        assert "scale 0.25" in fourth.metadata["degradations"]
        for made, n in ((third, 3), (fourth, 4)):
            # the size that was asked for, and nearly the same picture
            a, b = made.views["left"].alpha, reference[n].views["left"].alpha
            assert a.shape == b.shape and np.abs(a - b).mean() < 0.01
        # it stays there: a clip that changes between qualities is worse
        meter.used = 0
        assert "scale 0.25" in server.request(0).result().metadata["degradations"]
        meter.used = 1001
        with pytest.raises(ResourceError, match="Allow more, or close other programs"):
            server.request(2).result()
        meter.used = 0
        assert server.request(2).result().index == 2


def test_frames_with_controls_are_given_up_with_those_without(scene):
    clip, plan, reference = scene
    meter, edges = Meter(), {"size": 2.0}
    with FrameServer(clip, plan, ladder=Ladder(1000, meter)) as server:
        made = [server.request(n, edges=edges).result() for n in (0, 1)]
        assert len(server._served) == 2 and not made[0].same(reference[0])
        meter.used = 950
        assert [server.request(n).result().metadata["degradations"] for n in (2, 3)] == [LEVELS[1].name, LEVELS[2].name]
        assert len(server._served) == 0
        meter.used = 0
        assert server.request(1, edges=edges).result().same(made[1])
        # nor is one remembered that was made smaller, under the name of one that was not
        meter.used = 950
        assert "scale 0.5" in server.request(4, edges=edges).result().metadata["degradations"]
        assert len(server._served) == 0


def test_a_machine_that_others_fill_gets_caches_and_batches_back_and_no_resolution(scene):
    clip, plan, reference = scene
    with FrameServer(clip, plan, ladder=Ladder(1000, Meter(), lambda: 100 * 2**20)) as server:
        frames = [server.request(n).result() for n in range(5)]
    assert [f.metadata["degradations"] for f in frames] == [LEVELS[1].name, *[LEVELS[2].name] * 4]
    assert all(f.same(r) for f, r in zip(frames, reference, strict=True))


def test_what_is_free_is_what_the_container_has_left(tmp_path):
    machine = free_bytes(tmp_path)
    assert machine > 2**20
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("5000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 1000\n")
    assert free_bytes(tmp_path) > 2**20
    (tmp_path / "memory.max").write_text("9000\n")
    assert free_bytes(tmp_path) == 9000 - 5000 + 1000
    old = tmp_path / "old" / "memory"
    old.mkdir(parents=True)
    (old / "memory.limit_in_bytes").write_text("700\n")
    (old / "memory.usage_in_bytes").write_text("800\n")
    (old / "memory.stat").write_text("total_inactive_file 40\n")
    assert free_bytes(tmp_path / "old") == 0


class OutOfMemoryError(RuntimeError):
    """As PyTorch's: not a MemoryError."""


def test_what_errors_say_of_memory():
    assert shortage(MemoryError("no room for 4 GB")) == "no room for 4 GB" and shortage(MemoryError()) == "an allocation failed"
    assert shortage(OutOfMemoryError("CUDA out of memory.\nTried to allocate 2 GiB")) == "CUDA out of memory."
    assert shortage(RuntimeError("CUDA error")) == ""


class AcceleratorError(RuntimeError):
    """As PyTorch's, which says so in words of its driver."""


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be reported later"),
        RuntimeError("HIP error: no device"),
        AcceleratorError("the device fell off the bus"),
    ],
)
def test_a_card_that_is_lost_is_said(error):
    said = explained(error)
    assert isinstance(said, DeviceLostError) and said.http_status == 503 and said.exit_status == 4
    text = str(said)
    assert str(error).splitlines()[0] in text and "kernel errors" not in text and "run the same command again" in text


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ValueError("CUDA error"), ResourceError("CUDA error")])
def test_other_errors_stay_what_they_are(error):
    assert explained(error) is error


def test_caches_get_a_share_of_what_may_be_had():
    assert cache_budget(8 * 2**20) == 2**20
    assert 0 < cache_budget(1e18) < 1e15


def test_a_card_is_limited_by_its_number(monkeypatch):
    """PyTorch takes no device without one for this."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    limits = []
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(total_memory=40 * 2**30))
    monkeypatch.setattr(
        torch.cuda, "set_per_process_memory_fraction", lambda share, device: limits.append((share, torch.device(device).index))
    )
    for gigabytes in (10, 80):
        hold_pytorch(Settings(hardware={"max_vram_gb": gigabytes}).hardware, "cuda:1")
    assert limits == [(0.25, 1), (1.0, 1)]


def test_a_cards_own_decoder_counts(monkeypatch):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    shares = []
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(total_memory=40 * 2**30))
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", lambda share, device: shares.append(share))
    pixels = 6144 * 3072
    by_card, by_cpu = (Settings(hardware={"max_vram_gb": 10, "decoder": d}).hardware for d in ("auto", "cpu"))
    # 24 frames of 4:2:0 in 16 bits, and what CUDA takes
    assert decoder_bytes(pixels, by_card, "cuda:0") == 24 * pixels * 3 + 2**29 and decoder_bytes(pixels, by_cpu, "cuda:0") == 2**29
    assert decoder_bytes(pixels, by_card, None) == decoder_bytes(pixels, by_card, "cpu") == 0
    hold_pytorch(by_card, "cuda:0", decoder_bytes(pixels, by_card, "cuda:0"))
    assert shares == [pytest.approx(0.25 - (24 * pixels * 3 + 2**29) / (40 * 2**30))]
    small = Settings(hardware={"max_vram_gb": 2}).hardware
    with pytest.raises(SettingsError, match=r"max_vram_gb is 2, and decoding on the card takes 1.8 GB.*hardware.decoder=cpu"):
        hold_pytorch(small, "cuda:0", decoder_bytes(pixels, small, "cuda:0"))


def test_batches_on_a_card_do_not_depend_on_what_others_hold_there(monkeypatch):
    """Other batches are other last bits; so they follow from the settings and the card alone."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(total_memory=24 * 2**30))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: pytest.fail("it was asked what is free now"))
    rooms = [room_for_batches(Settings(hardware={"max_vram_gb": gb}), "cuda:0") / 2**30 for gb in (10, 100)]
    assert rooms == [10 - MEMORY.weights_bytes / 2**30, 24 - MEMORY.weights_bytes / 2**30]
    assert fitting(1024, rooms[0] * 2**30) >= 8


def test_what_was_made_under_need_is_not_kept(scene, tmp_path):
    from vr180_ofx.engine.store import DiskStore

    clip, plan, _ = scene
    meter, store = Meter(), DiskStore(tmp_path, 1 << 30)
    ladder = Ladder(1000, meter)
    ladder.number = 2
    with FrameServer(clip, plan, ladder=ladder, store=store) as server:
        server.request(0).result()
    assert store.nbytes == 0
