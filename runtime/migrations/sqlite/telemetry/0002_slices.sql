-- Operations move into slices: files of their own in the folder `telemetry`, with the tables of
-- `history/ops`. What was here is not carried over: telemetry is kept for days.
DROP TABLE ops;
DROP TABLE traces;
