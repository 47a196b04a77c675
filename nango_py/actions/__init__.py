"""Actions: named units of work with an input and an output."""
