-- Held until the transaction ends: whoever starts second waits here and then finds the work done.
SELECT pg_advisory_xact_lock($1)
