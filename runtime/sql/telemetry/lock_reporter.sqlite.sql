-- Nothing to lock: SQLite has one writer. The PostgreSQL twin takes a lock.
SELECT 1
