-- Losing the last moments of telemetry in a crash is acceptable; waiting for the disk is not.
BEGIN; SET LOCAL synchronous_commit = off
