-- $1: JSON array of instance ids.
DELETE FROM registrations
 WHERE instance_id IN (SELECT value FROM json_each($1))
