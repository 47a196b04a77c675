"""What every blueprint has to hold to, one subject a file."""
