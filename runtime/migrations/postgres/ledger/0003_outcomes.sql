-- What became of work that must not be done twice. A claim has a lease, an outcome does not; the
-- body is opaque, and NULL when it was not kept. Times are microseconds since the Unix epoch.

CREATE TABLE outcomes (
    digest BYTEA NOT NULL PRIMARY KEY,
    request BYTEA NOT NULL,
    epoch BIGINT NOT NULL,
    lease_until_us BIGINT,
    body BYTEA,
    bytes BIGINT NOT NULL,
    expires_at_us BIGINT NOT NULL
);
CREATE INDEX outcomes_by_end ON outcomes (expires_at_us, bytes);
