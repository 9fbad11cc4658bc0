SELECT CAST(pg_database_size(current_database()) AS BIGINT)
