"""The kinds of pagination, one a file."""
