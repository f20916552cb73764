CREATE FUNCTION cycle_append(saves jsonb)
RETURNS TABLE (status text, first_position bigint, recorded_at text, first_indexes jsonb)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $cycle$
#variable_conflict use_column
DECLARE
    head_position bigint;
    head_time text;
    new_index bigint;
    written bytea;
    save jsonb;
    l record;
BEGIN
    -- One writer at a time, so that positions follow the order of commits; released by the commit.
    PERFORM pg_advisory_xact_lock({lock});
    SELECT e.position, convert_from(e.leaf, 'UTF8')::jsonb ->> 'recorded_at' INTO head_position, head_time
        FROM events e ORDER BY e.position DESC LIMIT 1;
    head_position := coalesce(head_position, 0);
    FOR save IN SELECT s.value FROM jsonb_array_elements(saves) AS s LOOP
        first_position := NULL;
        recorded_at := NULL;
        first_indexes := '{}';
        IF EXISTS (SELECT FROM receipts r WHERE r.key = save ->> 'key') THEN
            status := 'known';
        ELSIF EXISTS (
            SELECT FROM jsonb_to_recordset(save -> 'first_versions') AS f(stream text, version int)
            WHERE f.version <> 1 + coalesce((SELECT max(e.version) FROM events e WHERE e.stream = f.stream), 0)
        ) OR EXISTS (
            SELECT FROM jsonb_to_recordset(save -> 'log_sizes') AS c(log text, size bigint)
            WHERE c.size <> 1 + coalesce((SELECT max(e.log_index) FROM events e WHERE e.log = c.log), -1)
        ) THEN
            status := 'conflict';
        ELSE
            status := 'stored';
            first_position := head_position + 1;
            head_time := greatest(head_time, to_char(
                coalesce((save ->> 'recorded_at')::timestamptz, clock_timestamp()) AT TIME ZONE 'UTC',
                'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'));
            recorded_at := head_time;
            FOR l IN SELECT * FROM jsonb_to_recordset(save -> 'leaves')
                AS l(stream text, version int, type text, schema smallint, log text, hole int, leaf text)
            LOOP
                SELECT 1 + coalesce(max(e.log_index), -1) INTO new_index FROM events e WHERE e.log = l.log;
                IF NOT first_indexes ? l.log THEN
                    first_indexes := first_indexes || jsonb_build_object(l.log, new_index);
                END IF;
                head_position := head_position + 1;
                -- The hole is counted in bytes.
                written := overlay(convert_to(l.leaf, 'UTF8') PLACING convert_to(head_time, 'UTF8') FROM l.hole + 1);
                INSERT INTO events (position, stream, version, type, schema, log, log_index, leaf_hash, leaf)
                    VALUES (head_position, l.stream, l.version, l.type, l.schema, l.log, new_index,
                            sha256('\x00'::bytea || written), written);
            END LOOP;
            INSERT INTO receipts (key, digest, first_position, last_position)
                VALUES (save ->> 'key', decode(save ->> 'digest', 'base64'), first_position, head_position);
        END IF;
        RETURN NEXT;
    END LOOP;
    PERFORM pg_notify('cycle', head_position::text);
END
$cycle$
