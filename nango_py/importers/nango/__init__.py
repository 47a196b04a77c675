"""Turn Nango's provider catalogue, ``providers.yaml``, into blueprints."""
