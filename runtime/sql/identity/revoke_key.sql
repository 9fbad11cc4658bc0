UPDATE service_keys
   SET revoked_at_us = $3
 WHERE service_id = $1
   AND key_id = $2
   AND revoked_at_us IS NULL
