-- Of one account, everything but the $2 newest.
DELETE FROM sessions
 WHERE username = $1
   AND digest NOT IN (SELECT digest
                        FROM sessions
                       WHERE username = $1
                       ORDER BY created_at_us DESC, digest
                       LIMIT $2)
