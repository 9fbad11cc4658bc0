-- Operations move into slices: partitions of the tables that `history/ops` makes. What was here is
-- not carried over: telemetry is kept for days.
DROP TABLE ops;
DROP TABLE traces;

-- The catalog of slices. On SQLite the folder of their files is the catalog.
CREATE TABLE slices (
    kind TEXT COLLATE "C" NOT NULL,
    id BIGINT NOT NULL,
    from_ms BIGINT NOT NULL,
    PRIMARY KEY (kind, id)
);

-- The tables of each kind: PARTITION BY LIST (slice), one partition NAME_ID per slice.
CREATE TABLE slice_tables (
    kind TEXT COLLATE "C" NOT NULL,
    parent TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, parent)
);

-- Made apart and then attached: unlike CREATE TABLE … PARTITION OF this does not wait for readers.
CREATE FUNCTION add_slice_partition(of_parent TEXT, of_id BIGINT) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', of_parent || '_' || of_id, of_parent);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%s)',
                   of_parent, of_parent || '_' || of_id, of_id);
END
$$;

-- A migration calls this for each table it makes; slices that exist get their partition too.
CREATE FUNCTION add_slice_table(of_kind TEXT, of_parent TEXT) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO slice_tables (kind, parent) VALUES (of_kind, of_parent);
    PERFORM add_slice_partition(of_parent, slices.id) FROM slices WHERE slices.kind = of_kind;
END
$$;

-- False when this slice or a newer one is there already: another process was faster.
CREATE FUNCTION add_slice(of_kind TEXT, new_id BIGINT, begins_ms BIGINT) RETURNS BOOLEAN
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM slices WHERE slices.kind = of_kind AND slices.id >= new_id) THEN
        RETURN FALSE;
    END IF;
    INSERT INTO slices (kind, id, from_ms)
    VALUES (of_kind, new_id, begins_ms)
        ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN FALSE;
    END IF;
    PERFORM add_slice_partition(parent, new_id)
       FROM slice_tables
      WHERE slice_tables.kind = of_kind
      ORDER BY parent;
    RETURN TRUE;
END
$$;

-- Gives up after two seconds behind a long reader, rather than making everybody else wait too.
CREATE FUNCTION drop_slice(of_kind TEXT, old_id BIGINT) RETURNS VOID LANGUAGE plpgsql
SET lock_timeout = '2s' AS $$
DECLARE
    of_parent TEXT;
BEGIN
    FOR of_parent IN
        SELECT parent FROM slice_tables WHERE slice_tables.kind = of_kind ORDER BY parent
    LOOP
        EXECUTE format('DROP TABLE IF EXISTS %I', of_parent || '_' || old_id);
    END LOOP;
    DELETE FROM slices WHERE slices.kind = of_kind AND slices.id = old_id;
END
$$;

-- Bytes of the slice with its indexes; 0 when it is gone.
CREATE FUNCTION slice_bytes(of_kind TEXT, of_id BIGINT) RETURNS BIGINT LANGUAGE sql STABLE AS $$
    SELECT CAST(COALESCE(SUM(pg_total_relation_size(to_regclass(
               quote_ident(slice_tables.parent || '_' || of_id)))), 0) AS BIGINT)
      FROM slice_tables
     WHERE slice_tables.kind = of_kind
$$;
