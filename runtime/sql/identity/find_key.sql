SELECT service_keys.secret_hash,
       service_keys.revoked_at_us AS key_revoked_at_us,
       services.id, services.name, services.status, services.created_at_us,
       services.revoked_at_us
  FROM service_keys
  JOIN services ON services.id = service_keys.service_id
 WHERE service_keys.key_id = $1
 LIMIT 1
