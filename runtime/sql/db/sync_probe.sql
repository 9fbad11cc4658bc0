-- One row, written again and again: `doctor` times the commit.
INSERT INTO sync_probe (id, at_us)
VALUES (1, $1)
    ON CONFLICT (id) DO UPDATE SET at_us = excluded.at_us
