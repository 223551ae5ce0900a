"""Names for the kinds of array that flow through the program."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

#: Of any kind, as memories hold them.
Array = npt.NDArray[np.generic]
FloatArray = npt.NDArray[np.floating]
HalfArray = npt.NDArray[np.float16]
ByteArray = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]
