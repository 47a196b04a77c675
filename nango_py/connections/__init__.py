"""Connections: accounts, their credentials, and where they are kept."""
