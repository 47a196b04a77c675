"""Write blueprints: from answers to a few questions, or from an OpenAPI description."""
