def find_sequence(path): return None
SequenceSource=None
