"""Turn catalogues of other tools into blueprints, and say what could not come along."""
