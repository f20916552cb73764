CREATE FUNCTION cycle_append(
    save_keys text[], save_digests bytea[], save_times timestamptz[], save_conditions jsonb,
    leaf_saves int[], leaf_streams text[], leaf_versions int[], leaf_types text[], leaf_schemas smallint[],
    leaf_logs text[], leaf_holes int[], leaf_bytes bytea[]
) RETURNS TABLE (save int, status text, first_position bigint, recorded_at text, first_indexes jsonb)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $cycle$
#variable_conflict use_column
DECLARE
    head_position bigint;
    head_time text;
    saves int := array_length(save_keys, 1);
    statuses text[] := array_fill('stored'::text, ARRAY[saves]);
    firsts bigint[] := array_fill(NULL::bigint, ARRAY[saves]);
    times text[] := array_fill(NULL::text, ARRAY[saves]);
    starts jsonb[] := array_fill(NULL::jsonb, ARRAY[saves]);
    lowest_indexes jsonb;
    at text;
    leaves int;
BEGIN
    -- One writer at a time, so that positions follow the order of commits; released by the commit.
    PERFORM pg_advisory_xact_lock({lock});
    SELECT e.position, convert_from(e.leaf, 'UTF8')::jsonb ->> 'recorded_at' INTO head_position, head_time
        FROM events e ORDER BY e.position DESC LIMIT 1;
    head_position := coalesce(head_position, 0);
    FOR number IN 1..saves LOOP
        IF EXISTS (SELECT FROM receipts r WHERE r.key = save_keys[number]) THEN
            statuses[number] := 'known';
            CONTINUE;
        END IF;
        IF EXISTS (
            SELECT FROM (
                SELECT l.stream, min(l.version) - 1 AS expected
                FROM unnest(leaf_saves, leaf_streams, leaf_versions) AS l(save, stream, version)
                WHERE l.save = number GROUP BY l.stream
            ) wanted
            WHERE wanted.expected IS DISTINCT FROM
                coalesce((SELECT max(e.version) FROM events e WHERE e.stream = wanted.stream), 0)
        ) OR EXISTS (
            SELECT FROM jsonb_to_recordset(save_conditions -> (number - 1)) AS c(log text, size bigint)
            WHERE c.size <> coalesce((SELECT max(e.log_index) + 1 FROM events e WHERE e.log = c.log), 0)
        ) THEN
            statuses[number] := 'conflict';
            CONTINUE;
        END IF;
        at := to_char(coalesce(save_times[number], clock_timestamp()) AT TIME ZONE 'UTC',
                      'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
        head_time := greatest(head_time, at);
        times[number] := head_time;
        firsts[number] := head_position + 1;
        WITH arriving AS (
            SELECT l.*, head_position + row_number() OVER (ORDER BY l.place) AS position,
                   row_number() OVER (PARTITION BY l.log ORDER BY l.place) - 1
                       + coalesce((SELECT max(e.log_index) + 1 FROM events e WHERE e.log = l.log), 0) AS log_index,
                   overlay(l.leaf PLACING convert_to(head_time, 'UTF8') FROM l.hole + 1) AS written
            FROM unnest(leaf_saves, leaf_streams, leaf_versions, leaf_types, leaf_schemas, leaf_logs,
                        leaf_holes, leaf_bytes)
                WITH ORDINALITY AS l(save, stream, version, type, schema, log, hole, leaf, place)
            WHERE l.save = number
        ), stored AS (
            INSERT INTO events (position, stream, version, type, schema, log, log_index, leaf_hash, leaf)
            SELECT a.position, a.stream, a.version, a.type, a.schema, a.log, a.log_index,
                   sha256('\x00'::bytea || a.written), a.written
            FROM arriving a ORDER BY a.position
            RETURNING log, log_index
        )
        SELECT jsonb_object_agg(b.log, b.lowest), sum(b.leaves) INTO lowest_indexes, leaves
            FROM (SELECT s.log, min(s.log_index) AS lowest, count(*) AS leaves FROM stored s GROUP BY s.log) b;
        starts[number] := lowest_indexes;
        head_position := head_position + leaves;
        INSERT INTO receipts (key, digest, first_position, last_position)
            VALUES (save_keys[number], save_digests[number], firsts[number], head_position);
    END LOOP;
    PERFORM pg_notify('cycle', head_position::text);
    RETURN QUERY SELECT n, statuses[n], firsts[n], times[n], starts[n] FROM generate_series(1, saves) AS n;
END
$cycle$
