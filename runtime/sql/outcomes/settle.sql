-- A settled row may be settled again by its holder, who did not hear that it was.
UPDATE outcomes
   SET lease_until_us = NULL, body = $3, bytes = $4, expires_at_us = $5
 WHERE digest = $1 AND epoch = $2
