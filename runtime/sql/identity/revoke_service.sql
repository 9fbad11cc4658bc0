UPDATE services
   SET status = 'revoked', revoked_at_us = $2
 WHERE id = $1
   AND status = 'active'
