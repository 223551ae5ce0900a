"""How many steps PyTorch takes for something: on a graphics card each of them is a launch, which costs 5 to 10 microseconds."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

#: What asks for memory, or looks at it in another way without being called a view.
_NO_STEPS = ("empty", "new_empty", "_unsafe_view", "_reshape_alias", "detach", "lift", "_local_scalar_dense")


class Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts them, within ``with``: by their names, and by the functions of ours that asked for them. names: what is added to."""

    def __init__(self, names: Counter[str] | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: Counter[str] = Counter() if names is None else names
        self.callers: Counter[str] = Counter()

    @property
    def count(self) -> int:
        return self.names.total()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = function(*args, **(kwargs or {}))
        name = function._schema.name.split("::")[1]
        if not function.is_view and not name.startswith(_NO_STEPS):
            self.names[name] += 1
            self.callers[_caller()] += 1
        return made


def _caller() -> str:
    """The innermost of our functions outside of `imaging`."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        file = frame.f_code.co_filename
        if "vr180_ofx" in file and "imaging" not in file:
            return f"{frame.f_globals['__name__'].removeprefix('vr180_ofx.')}.{frame.f_code.co_qualname}"
        frame = frame.f_back
    return "?"
