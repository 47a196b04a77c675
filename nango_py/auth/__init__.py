"""How credentials are held and placed: one auth mode a file."""
