INSERT INTO services (id, name, status, created_at_us)
VALUES ($1, $2, 'active', $3)
