"""What two eyes see of the same person."""
