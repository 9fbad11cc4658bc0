UPDATE service_keys
   SET revoked_at_us = $2
 WHERE service_id = $1
   AND revoked_at_us IS NULL
