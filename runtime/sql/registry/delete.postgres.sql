DELETE FROM registrations
 WHERE instance_id = ANY (CAST($1 AS TEXT[]))
