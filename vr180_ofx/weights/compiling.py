"""Networks compiled by PyTorch (``hardware.compile``): less time for each picture, a minute once.

What was compiled is kept among the files that can be made again, so later runs start at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from vr180_ofx.errors import SettingsError
from vr180_ofx.storage import cache_folder

#: Where PyTorch's compiler keeps what it made.
_FOLDER = "TORCHINDUCTOR_CACHE_DIR"


def compiled_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, compiled anew for each shape that it is called with; of those there are few.

    Calls raise SettingsError when it cannot be compiled here: to go on with it as it is would be other last bits under the same name.
    """
    folder = cache_folder("compiled")
    os.environ.setdefault(_FOLDER, str(folder))
    import torch._dynamo
    import torch._inductor.config

    if hasattr(torch._inductor.config, "deterministic"):
        # how sums are divided is not chosen by measuring, which may come out otherwise each time
        torch._inductor.config.deterministic = True
    # in one piece: with the limit of shapes passed, the rest would be called as it is
    fast = torch.compile(function, fullgraph=True, dynamic=False)

    def call(*values: Any, **words: Any) -> Any:
        try:
            return fast(*values, **words)
        except (torch._dynamo.exc.TorchDynamoException, ImportError, FileNotFoundError) as error:
            lines = [line for line in str(error).strip().splitlines() if line.strip()]
            raise SettingsError(
                f"hardware.compile is on, and PyTorch cannot compile the network here: {type(error).__name__}: "
                f"{lines[0] if lines else 'it does not say why'}. Set hardware.compile=off, or install a C++ compiler (and Triton for a "
                "graphics card)"
            ) from error

    return call
