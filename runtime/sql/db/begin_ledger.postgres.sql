-- Two statements, one round trip: an acknowledged ledger write has been synced, whatever the
-- server's own default is.
BEGIN; SET LOCAL synchronous_commit = on
