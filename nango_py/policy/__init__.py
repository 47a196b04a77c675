"""Pure decisions: when to try again, when to wait, where the next page is."""
