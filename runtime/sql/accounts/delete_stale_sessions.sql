-- Begun before $1 or not seen since $2. There are few sessions (their number is bounded per
-- account), so this needs no index.
DELETE FROM sessions WHERE created_at_us <= $1 OR seen_at_us <= $2
