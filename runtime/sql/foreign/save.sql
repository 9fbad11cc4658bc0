INSERT INTO foreign_services (id, name, seen_at_us)
VALUES ($1, $2, $3)
    ON CONFLICT (id) DO UPDATE SET seen_at_us = excluded.seen_at_us
