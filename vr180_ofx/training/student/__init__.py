"""How the student learns: people pasted into places, with guides that are wrong in every way that guides are."""
