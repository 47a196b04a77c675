CREATE TABLE nango_py_connections (
    id TEXT PRIMARY KEY,
    integration TEXT NOT NULL,
    user_id TEXT NOT NULL,
    sealed TEXT NOT NULL,
    connection_config TEXT NOT NULL,
    metadata TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE (integration, user_id)
);

-- Walks over one integration or one user are paged by id.
CREATE INDEX nango_py_connections_of_integration ON nango_py_connections (integration, id);

CREATE INDEX nango_py_connections_of_user ON nango_py_connections (user_id, id);

-- "ends" is in seconds since the epoch, by the clock of the store.
CREATE TABLE nango_py_leases (
    name TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    ends REAL NOT NULL
);

CREATE TABLE nango_py_attempts (
    state TEXT PRIMARY KEY,
    sealed TEXT NOT NULL,
    expires_at REAL NOT NULL
);

CREATE INDEX nango_py_attempts_expiry ON nango_py_attempts (expires_at);
