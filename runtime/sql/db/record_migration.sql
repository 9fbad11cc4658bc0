INSERT INTO schema_migrations (store, name, checksum, applied_at_us)
VALUES ($1, $2, $3, $4)
