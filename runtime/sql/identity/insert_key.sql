INSERT INTO service_keys (key_id, service_id, secret_hash, created_at_us)
VALUES ($1, $2, $3, $4)
