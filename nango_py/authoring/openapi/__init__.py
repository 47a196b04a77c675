"""Make blueprints of OpenAPI descriptions."""
