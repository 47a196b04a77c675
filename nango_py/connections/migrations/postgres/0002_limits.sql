-- What processes count together of rate limits. "ends" is the moment, by the clock of the store, after which a row
-- says nothing any more. Rows change with every request: room on the page spares the index.
CREATE TABLE nango_py_limits (
    name text COLLATE "C" PRIMARY KEY,
    counted text NOT NULL,
    ends double precision NOT NULL
) WITH (fillfactor = 50);
