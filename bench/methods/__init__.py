"""Methods that are compared: the program's modes, RVM without it, nothing at all, and truths, whole or damaged on purpose."""
