UPDATE sessions SET seen_at_us = $2 WHERE digest = $1
