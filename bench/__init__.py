"""VR180-Matte-Bench: people with exact truth, drawn from seeds, and what a matte of them is worth.

A package of its own beside the program: it may import ``vr180_ofx``, never the other way round, and is not in the program's wheel.
Used as ``python -m bench`` from the root of the repository.
"""
