"""What is done to pictures, as named functions: arrays in, arrays out; OpenCV behind them.

Conventions of the whole room:

- Pictures are (h, w) or (h, w, channels). Sizes of pictures are (width, height), places are (x, y).
- Places are continuous pixels (the centre of pixel i lies at i + 0.5) unless a docstring says pixel indices (the centre at i).
- Nothing is changed in place unless a function's docstring says so. Results have the type of the values that were given.
- interpolation is "nearest", "linear", "cubic" (a = -0.75) or "area" (`resize` alone). border is a number, one for each channel, or
  "edge" (the outermost pixels go on for ever).
"""
