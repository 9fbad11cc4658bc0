SELECT key_id, created_at_us, revoked_at_us
  FROM service_keys
 WHERE service_id = $1
 ORDER BY created_at_us DESC, key_id
 LIMIT $2
