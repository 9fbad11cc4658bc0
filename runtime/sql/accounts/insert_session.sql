INSERT INTO sessions (digest, username, created_at_us, seen_at_us)
VALUES ($1, $2, $3, $3)
