"""Turn a manifest of a low-code Airbyte connector into a blueprint."""
