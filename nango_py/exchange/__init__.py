"""The run wing: from a request to its answer."""
