-- Ids are 36-character lowercase UUID text, times are microseconds since the Unix epoch.
-- Collation "C": keys compare byte by byte, as on SQLite.

CREATE TABLE services (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status IN ('active', 'revoked')),
    created_at_us BIGINT NOT NULL,
    revoked_at_us BIGINT
);

-- A key is recognised by key_id; of its secret only a slow hash is kept.
CREATE TABLE service_keys (
    key_id BYTEA NOT NULL PRIMARY KEY,
    service_id TEXT COLLATE "C" NOT NULL REFERENCES services (id),
    secret_hash TEXT NOT NULL,
    created_at_us BIGINT NOT NULL,
    revoked_at_us BIGINT
);
CREATE INDEX service_keys_by_service ON service_keys (service_id);

-- The last registration of each instance, as it came in: a restarted runtime serves these until
-- the instances are back. No foreign key, because a revoked service is swept separately.
CREATE TABLE registrations (
    instance_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    service_id TEXT COLLATE "C" NOT NULL,
    request BYTEA NOT NULL,
    updated_at_us BIGINT NOT NULL
);
CREATE INDEX registrations_by_service ON registrations (service_id);

-- Only what somebody set; a key without a row has its default.
CREATE TABLE settings (
    key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at_us BIGINT NOT NULL
);

-- Every change an operator made. Ids are UUIDv7, so their order is the order of time.
CREATE TABLE audit (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    at_us BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    detail_json TEXT NOT NULL
);

-- One row that `doctor` rewrites to time a commit.
CREATE TABLE sync_probe (
    id BIGINT NOT NULL PRIMARY KEY,
    at_us BIGINT NOT NULL
);
