"""The read wing: from files to resolved integrations."""
