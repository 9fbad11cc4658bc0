INSERT INTO accounts (username, role, password_hash, created_at_us)
VALUES ($1, $2, $3, $4)
