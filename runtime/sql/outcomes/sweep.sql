-- $1 now, $2 most rows. Said twice, because the outer one is what PostgreSQL asks again of a row that
-- somebody claimed meanwhile.
DELETE FROM outcomes
 WHERE digest IN (
       SELECT digest FROM outcomes WHERE expires_at_us <= $1 ORDER BY expires_at_us LIMIT $2)
   AND expires_at_us <= $1
