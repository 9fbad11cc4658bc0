-- What has been applied to which store; both stores share one PostgreSQL database.
CREATE TABLE IF NOT EXISTS schema_migrations (
    store TEXT NOT NULL,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at_us BIGINT NOT NULL,
    PRIMARY KEY (store, name)
)
