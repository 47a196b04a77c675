"""Packs: blueprints that others install, a package of data files with one entry point."""
