"""The functions of `imaging` on tensors of PyTorch, in modules and under names that are the same; see `imaging.either`.

Tensors have the shapes that arrays have: pictures are (h, w) or (h, w, c), batches of them (n, h, w, c) where a docstring says so.
They stay on their device. Nothing here waits for a graphics card, unless its docstring says so.
"""
