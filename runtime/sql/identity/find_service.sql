SELECT id, name, status, created_at_us, revoked_at_us
  FROM services
 WHERE id = $1
 LIMIT 1
