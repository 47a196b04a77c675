CREATE TABLE nango_py_connections (
    id text COLLATE "C" PRIMARY KEY,
    integration text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    sealed text NOT NULL,
    connection_config text NOT NULL,
    metadata text NOT NULL,
    status text NOT NULL,
    created_at double precision NOT NULL,
    updated_at double precision NOT NULL,
    version bigint NOT NULL,
    UNIQUE (integration, user_id)
);

-- Walks over one integration or one user are paged by id.
CREATE INDEX nango_py_connections_of_integration ON nango_py_connections (integration, id);

CREATE INDEX nango_py_connections_of_user ON nango_py_connections (user_id, id);

-- "ends" is in seconds since the epoch, by the clock of the store.
CREATE TABLE nango_py_leases (
    name text PRIMARY KEY,
    owner text NOT NULL,
    ends double precision NOT NULL
);

CREATE TABLE nango_py_attempts (
    state text PRIMARY KEY,
    sealed text NOT NULL,
    expires_at double precision NOT NULL
);

CREATE INDEX nango_py_attempts_expiry ON nango_py_attempts (expires_at);
