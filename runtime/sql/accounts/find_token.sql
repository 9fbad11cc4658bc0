SELECT id, name, role, digest, created_by, created_at_us, expires_at_us, last_used_at_us
  FROM api_tokens
 WHERE id = $1
 LIMIT 1
