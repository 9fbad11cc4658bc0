SELECT instance_id, service_id, request, updated_at_us
  FROM registrations
 WHERE instance_id > $1
 ORDER BY instance_id
 LIMIT $2
