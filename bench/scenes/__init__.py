"""What a scene is, and how one is drawn from a seed."""
