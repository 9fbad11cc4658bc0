DELETE FROM outcomes
 WHERE digest = $1 AND epoch = $2 AND lease_until_us IS NOT NULL
