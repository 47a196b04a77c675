"""Versions people can trust: what changes between two, what is locked, what is frozen."""
