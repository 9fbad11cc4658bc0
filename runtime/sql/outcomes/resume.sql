-- $1 first and $2 last end (exclusive) of the rows, $3 new end of the lease, $4 most rows. A claim's
-- row ends a fixed time after its lease, so the index of ends finds the leases; a row that was
-- given its new end is not found again. Said twice, because the outer one is what PostgreSQL asks
-- again of a row that somebody settled meanwhile.
UPDATE outcomes
   SET lease_until_us = $3, expires_at_us = $2
 WHERE digest IN (
       SELECT digest
         FROM outcomes
        WHERE expires_at_us >= $1 AND expires_at_us < $2 AND lease_until_us IS NOT NULL
        ORDER BY expires_at_us
        LIMIT $4)
   AND lease_until_us IS NOT NULL
   AND expires_at_us < $2
