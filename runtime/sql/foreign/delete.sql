DELETE FROM foreign_services
 WHERE id = $1
