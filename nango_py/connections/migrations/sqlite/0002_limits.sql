-- What processes count together of rate limits. "ends" is the moment, by the clock of the store, after which a row
-- says nothing any more.
CREATE TABLE nango_py_limits (
    name TEXT PRIMARY KEY,
    counted TEXT NOT NULL,
    ends REAL NOT NULL
);
