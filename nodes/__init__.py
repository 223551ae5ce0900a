"""The node that every host shows: defined once, in `definition`; everything hosts and documents hold of it is made by `generate`."""
