-- Who may use the console and the API. Times are microseconds since the Unix epoch. Of every
-- secret only something is kept that it cannot be found from: of a password a slow hash, of what
-- is random a digest.

CREATE TABLE accounts (
    username TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('admin', 'viewer')),
    password_hash TEXT NOT NULL,
    created_at_us BIGINT NOT NULL,
    last_login_at_us BIGINT
);

-- Logins. How long one lives follows from the settings of now, so its end is not kept.
CREATE TABLE sessions (
    digest BYTEA NOT NULL PRIMARY KEY,
    username TEXT COLLATE "C" NOT NULL REFERENCES accounts (username),
    created_at_us BIGINT NOT NULL,
    seen_at_us BIGINT NOT NULL
);
CREATE INDEX sessions_by_account ON sessions (username, created_at_us);

CREATE TABLE api_tokens (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('admin', 'viewer')),
    digest BYTEA NOT NULL,
    created_by TEXT NOT NULL,
    created_at_us BIGINT NOT NULL,
    expires_at_us BIGINT,
    last_used_at_us BIGINT
);
