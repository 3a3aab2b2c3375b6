-- What stations tell each other about their machines: newest values, links, where alarms stand, answers of writes.

-- The newest values of machines that the calling station holds; times in µs since 1970, numbers in `p_v`, anything
-- else as JSON in `p_s`. `p_links` is how its links do, null when nothing changed. Returns whether all has to be told
-- anew, because this server remembers nothing of the station.
CREATE OR REPLACE FUNCTION sync.put_live(
    p_names text[], p_connections uuid[], p_t bigint[], p_r bigint[], p_v float8[], p_s text[], p_q bigint[],
    p_links jsonb, p_run uuid DEFAULT NULL
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    me text := (sync._station()).name;
    known bigint;
    next_rev bigint;
    born bigint;
BEGIN
    IF cardinality(p_names) > 100000 OR octet_length(p_links::text) > 2000000 THEN
        RAISE EXCEPTION 'These are more values than a station has.' USING ERRCODE = 'SY011';
    END IF;
    PERFORM sync._unfenced(me, p_run);
    PERFORM sync._machine_presence(me);
    SELECT s.rev INTO known FROM sync.live_station s WHERE s.station = me FOR UPDATE;
    IF cardinality(p_names) = 0 AND p_links IS NULL AND known > 0 THEN
        RETURN false;
    END IF;
    -- Grows also over a crash that empties this table, so that nobody's place in it is ahead.
    next_rev := greatest(known + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
    -- A name belongs to the connection that told it first, until its tag or that connection goes to another station.
    WITH told AS (
      INSERT INTO sync.live AS l (name, connection, station, rev, t, r, v, s, q)
        SELECT DISTINCT ON (n.name) n.name, n.connection, me, next_rev, n.t, n.r, n.v,
            CASE WHEN octet_length(n.s) > 100000 THEN to_json(left(n.s, 1000))::text ELSE n.s END, n.q
        FROM unnest(p_names, p_connections, p_t, p_r, p_v, p_s, p_q)
            WITH ORDINALITY AS n(name, connection, t, r, v, s, q, place)
        JOIN sync.lease h ON h.connection = n.connection AND h.station = me
        WHERE length(n.name) <= 500
        ORDER BY n.name, n.place DESC
        ON CONFLICT (name) DO UPDATE SET connection = excluded.connection, station = me, rev = next_rev,
            t = excluded.t, r = excluded.r, v = excluded.v, s = excluded.s, q = excluded.q
        WHERE l.connection = excluded.connection OR l.station = me
            OR NOT EXISTS (SELECT FROM sync.lease h WHERE h.connection = l.connection AND h.station = l.station)
            OR EXISTS (SELECT FROM lineside.tag k WHERE k.name = l.name AND k.connection_id = excluded.connection
                       AND NOT k.deleted)
        RETURNING xmax = 0 AS is_new)
    SELECT count(*) FILTER (WHERE is_new) INTO born FROM told;
    IF born > 0 AND (SELECT count(*) FROM sync.live l WHERE l.station = me) > 200000 THEN
        RAISE EXCEPTION 'One station tells 200,000 values at most.' USING ERRCODE = 'SY011';
    END IF;
    UPDATE sync.live_station s SET rev = next_rev,
        links = coalesce(p_links, s.links),
        links_rev = CASE WHEN p_links IS NULL THEN s.links_rev ELSE next_rev END
        WHERE s.station = me;
    RETURN known = 0;
END $$;

-- Where alarms stand: a JSON array of {"place", "key", "record", "state"}; an empty place means the station itself,
-- any other is a connection that the station holds. `p_acts` are acts of people that are dealt with.
CREATE OR REPLACE FUNCTION sync.put_alarms(p_alarms jsonb, p_acts uuid[], p_run uuid DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    me text := (sync._station()).name;
    next_rev bigint;
    written bigint;
    born bigint;
BEGIN
    IF cardinality(p_acts) > 100000 OR octet_length(p_alarms::text) > 50000000 THEN
        RAISE EXCEPTION 'These are more alarms than a station has.' USING ERRCODE = 'SY011';
    END IF;
    PERFORM sync._unfenced(me, p_run);
    UPDATE sync.machine_news n SET rev = n.rev + 1 RETURNING n.rev INTO next_rev;
    INSERT INTO sync.machine_act (id, station) SELECT DISTINCT a, me FROM unnest(p_acts) AS a
        ON CONFLICT (id) DO NOTHING;
    DELETE FROM sync.machine_act a WHERE a.at < clock_timestamp() - interval '30 days';
    WITH told AS (
      INSERT INTO sync.machine_alarm AS known (place, key, station, rev, record, state)
        SELECT DISTINCT ON (place, key) place, key, me, next_rev, record, state FROM (
            SELECT CASE WHEN a.one ->> 'place' = '' THEN 'station:' || me ELSE a.one ->> 'place' END AS place,
                a.one ->> 'key' AS key, nullif(a.one -> 'record', 'null') AS record,
                decode(a.one ->> 'state', 'base64') AS state, a.n AS n
            FROM jsonb_array_elements(p_alarms) WITH ORDINALITY AS a(one, n)
            WHERE a.one ->> 'place' = '' OR EXISTS (
                SELECT FROM sync.lease h WHERE h.connection::text = a.one ->> 'place' AND h.station = me)
        ) AS told ORDER BY place, key, n DESC
        ON CONFLICT (place, key) DO UPDATE SET station = me, rev = next_rev,
            record = coalesce(excluded.record, known.record), state = coalesce(excluded.state, known.state)
        WHERE known.station IS DISTINCT FROM me
            OR (excluded.record IS NOT NULL AND known.record IS DISTINCT FROM excluded.record)
            OR (excluded.state IS NOT NULL AND known.state IS DISTINCT FROM excluded.state)
        RETURNING xmax = 0 AS is_new)
    SELECT count(*), count(*) FILTER (WHERE is_new) INTO written, born FROM told;
    IF born > 0 AND (SELECT count(*) FROM sync.machine_alarm a WHERE a.station = me) > 100000 THEN
        RAISE EXCEPTION 'One station has 100,000 alarms at most.' USING ERRCODE = 'SY011';
    END IF;
    IF written > 0 THEN
        PERFORM pg_notify('lineside_live', 'alarms');
    END IF;
    RETURN next_rev;
END $$;

-- What became of values that people sent: a JSON array of objects with the "id" of the wish.
CREATE OR REPLACE FUNCTION sync.put_answers(p_answers jsonb, p_run uuid DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    me text := (sync._station()).name;
    next_rev bigint;
BEGIN
    IF octet_length(p_answers::text) > 5000000
        OR (SELECT count(*) FROM sync.machine_answer a WHERE a.station = me) > 100000 THEN
        RAISE EXCEPTION 'These are more answers than machines give.' USING ERRCODE = 'SY011';
    END IF;
    PERFORM sync._unfenced(me, p_run);
    UPDATE sync.machine_news n SET rev = n.rev + 1 RETURNING n.rev INTO next_rev;
    INSERT INTO sync.machine_answer (id, station, rev, answer)
        SELECT (a ->> 'id')::uuid, me, next_rev, a FROM jsonb_array_elements(p_answers) AS a
        ON CONFLICT (id) DO UPDATE SET rev = next_rev, answer = excluded.answer
        WHERE sync.machine_answer.station = me;
    DELETE FROM sync.machine_answer a WHERE a.at < clock_timestamp() - interval '7 days';
    PERFORM pg_notify('lineside_live', 'answers');
    RETURN next_rev;
END $$;

GRANT SELECT ON sync.live, sync.live_station, sync.machine_alarm, sync.machine_act, sync.machine_answer,
    sync.machine_news TO @station@;
REVOKE ALL ON FUNCTION sync.put_live(text[], uuid[], bigint[], bigint[], float8[], text[], bigint[], jsonb, uuid)
    FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.put_alarms(jsonb, uuid[], uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.put_answers(jsonb, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sync.put_live(text[], uuid[], bigint[], bigint[], float8[], text[], bigint[], jsonb, uuid)
    TO @station@;
GRANT EXECUTE ON FUNCTION sync.put_alarms(jsonb, uuid[], uuid) TO @station@;
GRANT EXECUTE ON FUNCTION sync.put_answers(jsonb, uuid) TO @station@;
