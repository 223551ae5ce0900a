"""Scenes that many tests only read."""

import pytest

from tests.bench.scenes import write_scene


@pytest.fixture(scope="session")
def scenes(tmp_path_factory):
    """Two people who walk; nobody; and the first of them alone."""
    root = tmp_path_factory.mktemp("scenes")
    write_scene(root / "two", 2, tags=("count:2", "calm"), plate=True)
    write_scene(root / "empty", 0, tags=("count:0",), plate=True)
    write_scene(root / "one", 1, tags=("count:1", "calm"), plate=True)
    return root
