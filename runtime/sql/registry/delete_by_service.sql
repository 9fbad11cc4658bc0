DELETE FROM registrations
 WHERE service_id = $1
