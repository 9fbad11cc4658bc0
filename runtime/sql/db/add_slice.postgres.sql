-- $1: kind; $2: id; $3: its first moment. False when another process was faster.
SELECT add_slice($1, $2, $3)
