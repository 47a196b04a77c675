"""nango_py: declare an API integration, get a configured httpx client and runnable actions."""
