SELECT id, name, status, created_at_us, revoked_at_us,
       (SELECT COUNT(*)
          FROM service_keys
         WHERE service_keys.service_id = services.id
           AND service_keys.revoked_at_us IS NULL) AS active_keys
  FROM services
 WHERE name > $1
 ORDER BY name
 LIMIT $2
