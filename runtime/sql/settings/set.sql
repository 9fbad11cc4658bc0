INSERT INTO settings (key, value, updated_at_us)
VALUES ($1, $2, $3)
    ON CONFLICT (key) DO UPDATE
   SET value = excluded.value,
       updated_at_us = excluded.updated_at_us
