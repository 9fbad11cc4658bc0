-- What an operator has set since stays.
INSERT INTO settings (key, value, updated_at_us)
VALUES ($1, $2, $3)
    ON CONFLICT (key) DO NOTHING
