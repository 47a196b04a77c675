"""Connect accounts: in a browser, on another device."""
