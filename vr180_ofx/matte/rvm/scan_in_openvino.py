"""`scan.linear_scan` as loops of OpenVINO: a graph of three small bodies, for any number of positions.

Written out, as PyTorch traces it, the scan is 200 nodes for each time that positions are cut into chunks, and VMamba's encoder 14,000:
conversion took 30 s then and compilation 25 s, where each takes 4 s so.
"""

from __future__ import annotations

from typing import Any

import numpy as np

#: Positions of a chunk: about as many as there are chunks of a picture of 384² at 1/4, because both are walked through step by step.
CHUNK = 64
#: Axes of what is cut: (rows, chunks, chunk, channels).
_CHUNKS, _PLACES = 1, 2


def convert(context: Any) -> Any:
    """For `openvino.frontend.pytorch.ConversionExtension`: (decay, added), (rows, positions, channels) each -> states."""
    from openvino import opset13 as ops

    decay, added = context.get_input(0), context.get_input(1)
    size = ops.shape_of(added)
    rows, positions, channels = (ops.gather(size, _whole([k]), _whole(0)) for k in range(3))
    chunks = ops.divide(ops.add(positions, _whole([CHUNK - 1])), _whole([CHUNK]))
    cut = ops.concat([rows, chunks, _whole([CHUNK]), channels], 0)

    def in_chunks(x: Any) -> Any:
        """Filled up with nothing."""
        x = ops.pad(x, _whole([0, 0, 0]), _whole([0, CHUNK - 1, 0]), "constant", ops.constant(np.float32(0)))
        return ops.reshape(_first(x, ops.multiply(chunks, _whole([CHUNK])), 1), cut, special_zero=False)

    a, b = in_chunks(decay), in_chunks(added)
    nothing = ops.multiply(_first(b, _whole([1]), _PLACES), ops.constant(np.float32(0)))
    product, end = _ends(a, b, nothing)
    before = _walked(product, end, _first(nothing, _whole([1]), _CHUNKS), _CHUNKS, late=True)
    states = ops.reshape(_walked(a, b, before, _PLACES), ops.concat([rows, _whole([-1]), channels], 0), special_zero=False)
    return _first(states, positions, 1).outputs()


def _whole(values: Any) -> Any:
    from openvino import opset13 as ops

    return ops.constant(np.array(values, np.int64))


def _first(x: Any, count: Any, axis: int) -> Any:
    from openvino import opset13 as ops

    return ops.slice(x, _whole([0]), count, _whole([1]), _whole([axis]))


def _parameters(count: int) -> list[Any]:
    from openvino import opset13 as ops

    return [ops.parameter([-1, -1, -1, -1], np.float32) for _ in range(count)]


def _ends(a: Any, b: Any, nothing: Any) -> tuple[Any, Any]:
    """Of each chunk: the product of its decays, and what it ends with when it begins with nothing."""
    import openvino
    from openvino import opset13 as ops

    here, added, state, decays = _parameters(4)
    after = ops.result(ops.add(ops.multiply(here, state), added))
    product = ops.result(ops.multiply(here, decays))
    loop = ops.tensor_iterator()
    loop.set_body(openvino.Model([after, product], [here, added, state, decays], "ends"))
    for parameter, values in ((here, a), (added, b)):
        loop.set_sliced_input(parameter, values.output(0), 0, 1, 1, -1, _PLACES)
    loop.set_merged_input(state, nothing.output(0), after.output(0))
    loop.set_merged_input(decays, ops.add(nothing, ops.constant(np.float32(1))).output(0), product.output(0))
    return loop.get_iter_value(product.output(0), -1), loop.get_iter_value(after.output(0), -1)


def _walked(a: Any, b: Any, first: Any, axis: int, *, late: bool = False) -> Any:
    """The states along an axis, from ``first`` on. late: of each step what it begins with."""
    import openvino
    from openvino import opset13 as ops

    here, added, state = _parameters(3)
    after = ops.result(ops.add(ops.multiply(here, state), added))
    # a body gives what it was given by an operation alone
    seen = ops.result(ops.add(state, ops.constant(np.float32(0)))) if late else after
    loop = ops.tensor_iterator()
    loop.set_body(openvino.Model([after, seen] if late else [after], [here, added, state], "walk"))
    for parameter, values in ((here, a), (added, b)):
        loop.set_sliced_input(parameter, _output(values), 0, 1, 1, -1, axis)
    loop.set_merged_input(state, _output(first), after.output(0))
    return loop.get_concatenated_slices(seen.output(0), 0, 1, 1, -1, axis)


def _output(value: Any) -> Any:
    """Of a node its only output; what is one already stays."""
    return value.output(0) if hasattr(value, "outputs") else value
