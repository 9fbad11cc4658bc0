UPDATE outcomes
   SET lease_until_us = $3, expires_at_us = $4
 WHERE digest = $1 AND epoch = $2 AND lease_until_us IS NOT NULL
