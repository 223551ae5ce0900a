"""Trainings in processes of their own that can be killed, interrupted and joined. They are forked from a server that has loaded PyTorch:
loading it takes longer than all they do.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from pathlib import Path

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    ["tests.training.small", "vr180_ofx.training.run", "vr180_ofx.cli.train", "torch.distributed.nn.functional"]
)


def start(recipe: Path, folder: Path, seconds: float, **environment: str) -> multiprocessing.process.BaseProcess:
    """Trains as the command does, and waits so long in each step, so that a test can come in between. What it says: folder.err."""
    process = _context.Process(target=_train, args=(str(recipe), str(folder), seconds, environment))
    process.start()
    return process


def _train(recipe: str, folder: str, seconds: float, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    said = os.open(f"{folder}.err", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(said, 2)
    import torch

    from vr180_ofx.cli.train import say
    from vr180_ofx.training import run
    from vr180_ofx.training.recipe import load

    torch.set_num_threads(1)
    result = run.begin(load(recipe), Path(folder), lambda done, total, text: time.sleep(seconds))
    status = say(result, folder, as_json=False)
    sys.stderr.flush()
    os._exit(status)
