DELETE FROM outcomes
 WHERE digest IN (
       SELECT digest FROM outcomes WHERE expires_at_us <= $1 ORDER BY expires_at_us LIMIT $2)
