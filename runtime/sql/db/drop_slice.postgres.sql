SELECT drop_slice($1, $2)
