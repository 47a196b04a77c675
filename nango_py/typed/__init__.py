"""Typed faces of integrations: what generated modules stand on, and what generates them."""
