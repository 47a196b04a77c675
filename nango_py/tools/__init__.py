"""Actions as tools of language models: names, schemas, calls, and results that fit."""
