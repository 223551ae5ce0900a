"""Which network is meant, as a value."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from vr180_ofx.errors import WeightsError
from vr180_ofx.weights.device import Placement
from vr180_ofx.weights.spec import NetworkSpec, WeightsFile
from vr180_ofx.weights.store import path_of


def test_a_file_of_somebodys_own(tmp_path):
    path = tmp_path / "own.pt"
    weights = WeightsFile("matting.tracker_weights", path)
    assert not weights.is_own
    with pytest.raises(WeightsError, match=r"matting\.tracker_weights names .*own\.pt, which does not exist"):
        _ = weights.verified
    path.write_bytes(b"weights")
    assert (weights.is_own, weights.verified) == (True, path)
    assert weights.sha256 == hashlib.sha256(b"weights").hexdigest()


def test_a_file_of_the_catalogue():
    weights = WeightsFile("blazepose_segmenter")
    assert weights.verified == path_of("blazepose_segmenter") and not weights.is_own
    assert weights.sha256 == hashlib.sha256(weights.verified.read_bytes()).hexdigest()
    with pytest.raises(WeightsError, match="there are no weights called 'nothing'"):
        _ = WeightsFile("nothing").verified


def test_identity_says_what_results_depend_on(tmp_path):
    path = tmp_path / "own.pt"
    path.write_bytes(b"weights")
    spec = NetworkSpec("network", WeightsFile("a.b", path), Placement("cuda:0", "float16", "pytorch"))
    digest = hashlib.sha256(b"weights").hexdigest()
    assert spec.identity == f"network:{digest}:cuda:float16:pytorch" and spec.own_sha256 == digest and spec.file == path
    # which of two equal cards, and what a file is called, changes nothing
    moved = path.rename(tmp_path / "moved.pt")
    same = replace(spec, weights=WeightsFile("c.d", moved), placement=Placement("cuda:1", "float16", "pytorch"))
    assert same.identity == spec.identity


def test_a_network_without_weights():
    spec = NetworkSpec("none")
    assert spec.identity == "none" and spec.own_sha256 == ""
    with pytest.raises(WeightsError, match="none has no weights"):
        _ = spec.file
