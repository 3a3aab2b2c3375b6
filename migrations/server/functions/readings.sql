-- Samples of all stations: taken exactly once, in the order of each station's history, kept as plain rows by time.

-- The numbers of signals, made where they are new; a signal whose values became of another kind is told so.
CREATE OR REPLACE FUNCTION sync.name_signals(p_names text[], p_kinds text[]) RETURNS integer[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sync._station();
    IF cardinality(p_names) > 100000 OR cardinality(p_kinds) <> cardinality(p_names) THEN
        RAISE EXCEPTION 'These are more signals than a station has.' USING ERRCODE = 'SY011';
    ELSIF EXISTS (SELECT FROM unnest(p_names, p_kinds) AS u(name, kind)
        WHERE u.name IS NULL OR u.kind IS NULL OR length(u.name) > 500 OR length(u.kind) > 20)
    THEN
        RAISE EXCEPTION 'A signal has a name of 500 characters at most, and a kind.' USING ERRCODE = 'SY011';
    END IF;
    IF EXISTS (
        SELECT FROM unnest(p_names, p_kinds) AS u(name, kind)
        LEFT JOIN lineside.signal g ON g.name = u.name AND g.kind = u.kind WHERE g.id IS NULL
    ) THEN
        LOCK TABLE lineside.signal IN SHARE ROW EXCLUSIVE MODE;
        UPDATE lineside.signal g SET kind = u.kind
            FROM unnest(p_names, p_kinds) AS u(name, kind) WHERE g.name = u.name AND g.kind <> u.kind;
        INSERT INTO lineside.signal (name, kind)
            SELECT DISTINCT ON (u.name) u.name, u.kind FROM unnest(p_names, p_kinds) AS u(name, kind)
            WHERE NOT EXISTS (SELECT FROM lineside.signal g WHERE g.name = u.name);
        IF (SELECT count(*) FROM lineside.signal) > 1000000 THEN
            RAISE EXCEPTION 'The server keeps samples of 1,000,000 signals at most.' USING ERRCODE = 'SY011';
        END IF;
    END IF;
    RETURN ARRAY(
        SELECT g.id FROM unnest(p_names) WITH ORDINALITY AS u(name, place)
        JOIN lineside.signal g ON g.name = u.name ORDER BY u.place);
END $$;

-- Up to which number this server has the stream; one that is not known begins at p_first_n.
CREATE OR REPLACE FUNCTION sync.open_stream(
    p_stream uuid, p_epoch integer, p_first_n bigint, p_run uuid DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    me text := (sync._station()).name;
    found_n bigint;
    origins integer[];
BEGIN
    PERFORM sync._unfenced(me, p_run);
    LOCK TABLE lineside.origin IN SHARE ROW EXCLUSIVE MODE;
    IF NOT EXISTS (SELECT FROM sync.stream s WHERE s.stream = p_stream AND s.epoch = p_epoch) THEN
        WITH made AS (
            INSERT INTO lineside.origin (station, stream, epoch, late)
            VALUES (me, p_stream, p_epoch, false), (me, p_stream, p_epoch, true) RETURNING id, late
        )
        SELECT array_agg(id ORDER BY late) INTO origins FROM made;
        INSERT INTO sync.stream (stream, epoch, station, first_n, last_n, origin, late_origin)
            VALUES (p_stream, p_epoch, me, p_first_n, p_first_n - 1, origins[1], origins[2]);
    END IF;
    SELECT s.last_n INTO found_n FROM sync.stream s
        WHERE s.stream = p_stream AND s.epoch = p_epoch AND s.station = me;
    IF found_n IS NULL THEN
        RAISE EXCEPTION 'This history is known as another station''s; it cannot be forwarded by %.', me
            USING ERRCODE = '42501';
    END IF;
    RETURN found_n;
END $$;

-- Samples p_first_n to p_last_n of a stream; p_n tells the numbers where some between them are not kept any more.
-- Returns up to which number the stream is here now: whoever offers the same again, or leaves a gap, adds nothing and
-- learns where to go on. NaN in p_v is no number.
CREATE OR REPLACE FUNCTION sync.forward(
    p_stream uuid, p_epoch integer, p_first_n bigint, p_last_n bigint, p_signal integer[], p_t timestamptz[],
    p_v float8[], p_q integer[], p_delay float4[], p_s text[] DEFAULT NULL, p_n bigint[] DEFAULT NULL,
    p_run uuid DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    me text := (sync._station()).name;
    samples integer := cardinality(p_signal);
    known sync.stream;
    since timestamptz;
    until timestamptz;
    others uuid[];
    held_elsewhere integer[] := '{}';
BEGIN
    IF samples <> cardinality(p_t) OR samples <> cardinality(p_v) OR samples <> cardinality(p_q)
        OR samples <> cardinality(p_delay) OR samples <> coalesce(cardinality(p_s), samples)
        OR samples <> coalesce(cardinality(p_n), p_last_n - p_first_n + 1) OR samples > p_last_n - p_first_n + 1
    THEN
        RAISE EXCEPTION 'The columns of a batch are not of one length.' USING ERRCODE = 'SY011';
    END IF;
    IF samples > 100000 OR EXISTS (SELECT FROM unnest(p_s) AS u WHERE length(u) > 100000)
        OR (SELECT sum(octet_length(u)) FROM unnest(p_s) AS u) > 100000000
    THEN
        RAISE EXCEPTION 'A batch has 100,000 samples at most, and a text 100,000 characters.' USING ERRCODE = 'SY011';
    END IF;
    PERFORM sync._unfenced(me, p_run);
    UPDATE sync.stream s SET last_n = p_last_n, passed_over = s.passed_over + (p_last_n - p_first_n + 1 - samples),
        seen_at = clock_timestamp()
        WHERE s.stream = p_stream AND s.epoch = p_epoch AND s.station = me AND s.last_n = p_first_n - 1
        RETURNING s.* INTO known;
    IF known.stream IS NULL THEN
        SELECT s.* INTO known FROM sync.stream s
            WHERE s.stream = p_stream AND s.epoch = p_epoch AND s.station = me;
        IF known.stream IS NULL THEN
            RAISE EXCEPTION 'This stream was not opened by %.', me USING ERRCODE = '42501';
        END IF;
        RETURN known.last_n;
    END IF;
    SELECT min(u), max(u) INTO since, until FROM unnest(p_t) AS u;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT id FROM unnest(p_signal) AS u(id)) AS named
        WHERE NOT EXISTS (SELECT FROM lineside.signal g WHERE g.id = named.id)
    ) THEN
        RAISE EXCEPTION 'A sample is of a signal that has no name here.' USING ERRCODE = 'SY011';
    END IF;
    others := ARRAY(
        SELECT DISTINCT l.connection FROM sync.lease_term l
        WHERE l.station <> me AND l.granted_at <= until AND coalesce(l.ended_at, 'infinity') > since);
    IF cardinality(others) > 0 THEN
        held_elsewhere := ARRAY(
            SELECT g.id FROM lineside.tag k JOIN lineside.signal g ON g.name = k.name
            WHERE k.connection_id = ANY (others) AND NOT k.deleted
            INTERSECT SELECT u.id FROM unnest(p_signal) AS u(id));
    END IF;
    WITH kept AS (
        INSERT INTO lineside.reading (t, v, n, signal, q, origin, delay, s)
            SELECT u.t, nullif(u.v, 'NaN'), coalesce(u.n, p_first_n + u.place - 1), u.signal, u.q,
                CASE WHEN held_elsewhere <> '{}' AND u.signal = ANY (held_elsewhere)
                        AND sync._held_elsewhere(me, u.signal, u.t)
                    THEN known.late_origin ELSE known.origin END,
                u.delay, u.s
            FROM unnest(p_signal, p_t, p_v, p_q, p_delay, p_s, p_n) WITH ORDINALITY
                AS u(signal, t, v, q, delay, s, n, place)
            RETURNING signal, t, n, v, q, origin
    ), -- each column of a minute's samples in the order of their times
    gathered AS (
        SELECT k.signal, date_trunc('minute', k.t, 'UTC') AS minute, k.origin, count(*) AS samples,
            count(*) FILTER (WHERE k.fine) AS good, min(k.t) AS t, max(k.t) AS until,
            array_agg(k.t) FILTER (WHERE k.fine) AS times, array_agg(k.v) FILTER (WHERE k.fine) AS numbers,
            min(k.v) FILTER (WHERE k.fine) AS low, max(k.v) FILTER (WHERE k.fine) AS high,
            sum(k.v) FILTER (WHERE k.fine AND (abs(k.v) < 1e290 OR abs(k.v) = 'infinity')) AS total,
            array_agg(k.right_kind) AS right_kind
        FROM (
            SELECT kept.*, q BETWEEN 0 AND 1073741823 AS right_kind,
                v IS NOT NULL AND q BETWEEN 0 AND 1073741823 AS fine
            FROM kept ORDER BY signal, t, n
        ) AS k GROUP BY 1, 2, 3
    )
    INSERT INTO lineside.reading_minute AS m (signal, minute, origin, samples, good, t, until, first_at, last_at, low,
            high, total, first, last, ends_good)
        SELECT g.signal, g.minute, g.origin, g.samples, g.good, g.t, g.until, g.times[1], g.times[g.good], g.low,
            g.high, g.total, g.numbers[1], g.numbers[g.good], g.right_kind[g.samples]
        FROM gathered g
        ON CONFLICT (signal, minute, origin) DO UPDATE SET
            samples = m.samples + excluded.samples, good = m.good + excluded.good,
            t = least(m.t, excluded.t), until = greatest(m.until, excluded.until),
            low = least(m.low, excluded.low), high = greatest(m.high, excluded.high),
            total = CASE WHEN m.total IS NULL THEN excluded.total ELSE m.total + coalesce(excluded.total, 0) END,
            first = CASE WHEN m.first_at <= excluded.first_at OR excluded.first_at IS NULL
                THEN m.first ELSE excluded.first END,
            first_at = least(m.first_at, excluded.first_at),
            last = CASE WHEN m.last_at > excluded.last_at OR excluded.last_at IS NULL
                THEN m.last ELSE excluded.last END,
            last_at = greatest(m.last_at, excluded.last_at),
            ends_good = CASE WHEN m.until > excluded.until THEN m.ends_good ELSE excluded.ends_good END;
    RETURN known.last_n;
END $$;

-- Whether another station than p_station held the machine of a signal at a moment.
CREATE OR REPLACE FUNCTION sync._held_elsewhere(p_station text, p_signal integer, p_at timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM lineside.signal g JOIN lineside.tag k ON k.name = g.name AND NOT k.deleted
        JOIN sync.lease_term l ON l.connection = k.connection_id
        WHERE g.id = p_signal AND l.station <> p_station
            AND l.granted_at <= p_at AND coalesce(l.ended_at, 'infinity') > p_at)
$$;

-- Parts for samples of these times, where they are missing: a month each, a week where a month is too much. Times of
-- clocks that are wrong by years get none, and what waits in the rest already stays there. Returns how many were made.
CREATE OR REPLACE FUNCTION sync.make_room(p_times timestamptz[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    at timestamptz;
    begins timestamptz;
    ends timestamptz;
    width text;
    part text;
    made integer := 0;
BEGIN
    PERFORM sync._station();
    IF to_regclass('lineside.reading_rest') IS NULL THEN
        RETURN 0;
    END IF;
    FOR at IN
        SELECT DISTINCT u FROM unnest(p_times) AS u
        WHERE u BETWEEN now() - interval '10 years' AND now() + interval '31 days'
            AND NOT EXISTS (SELECT FROM sync.reading_part p WHERE p.since <= u AND u < p.until)
        ORDER BY u LIMIT 24
    LOOP
        LOCK TABLE sync.reading_part IN SHARE ROW EXCLUSIVE MODE;
        CONTINUE WHEN EXISTS (SELECT FROM sync.reading_part p WHERE p.since <= at AND at < p.until);
        SELECT CASE WHEN max(c.reltuples) > 1e8 THEN 'week' ELSE 'month' END INTO width
            FROM sync.reading_part p JOIN pg_class c ON c.oid = to_regclass('lineside.' || quote_ident(p.name));
        SELECT greatest(date_trunc(width, at), max(p.until) FILTER (WHERE p.until <= at)),
            least(date_trunc(width, at) + ('1 ' || width)::interval, min(p.since) FILTER (WHERE p.since > at))
            INTO begins, ends FROM sync.reading_part p;
        part := 'reading_' || to_char(begins, 'YYYY_MM_DD');
        BEGIN
            EXECUTE format('CREATE TABLE lineside.%I (LIKE lineside.reading)', part);
            EXECUTE format('ALTER TABLE lineside.reading ATTACH PARTITION lineside.%I FOR VALUES FROM (%L) TO (%L)',
                part, begins, ends);
            INSERT INTO sync.reading_part (name, since, until) VALUES (part, begins, ends);
            made := made + 1;
        EXCEPTION WHEN check_violation THEN
            NULL;  -- samples of that time wait in the rest
        END;
    END LOOP;
    RETURN made;
END $$;

-- Drops samples that are older than the owner wants to keep them; returns up to when, null when all are kept.
CREATE OR REPLACE FUNCTION sync.drop_old_readings() RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    limit_at timestamptz := (SELECT now() - make_interval(days => r.keep_days) FROM sync.reading_terms r);
    part text;
    place text;
BEGIN
    IF limit_at IS NULL THEN
        RETURN NULL;
    END IF;
    DELETE FROM lineside.reading_minute m WHERE m.minute < limit_at;
    IF to_regclass('lineside.reading_rest') IS NULL THEN
        SELECT n.nspname INTO place FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
            WHERE e.extname = 'timescaledb';
        EXECUTE format('SELECT %I.drop_chunks(%L, older_than => $1)', place, 'lineside.reading') USING limit_at;
        RETURN limit_at;
    END IF;
    FOR part IN SELECT p.name FROM sync.reading_part p WHERE p.until <= limit_at ORDER BY p.since LOOP
        EXECUTE format('DROP TABLE lineside.%I', part);
        DELETE FROM sync.reading_part p WHERE p.name = part;
    END LOOP;
    DELETE FROM lineside.reading_rest r WHERE r.t < limit_at;
    RETURN limit_at;
END $$;

-- What psql and Grafana read: one line a sample.
CREATE OR REPLACE VIEW lineside.samples AS
    SELECT g.name AS signal, r.t AS "time", r.v AS value, r.s AS "text",
        CASE WHEN r.q < 0 THEN 'bad' WHEN r.q < 1073741824 THEN 'good' ELSE 'uncertain' END AS quality,
        o.station, o.late, r.q::bigint & 4294967295 AS status_code, r.delay AS seconds_to_receipt
    FROM lineside.reading r
    JOIN lineside.signal g ON g.id = r.signal
    JOIN lineside.origin o ON o.id = r.origin;

-- The same by the minute, which is what a picture of weeks needs.
CREATE OR REPLACE VIEW lineside.samples_by_minute AS
    SELECT g.name AS signal, m.minute AS "time", m.low, m.high, m.total / nullif(m.good, 0) AS mean, m.first, m.last,
        m.samples, m.good, o.station, o.late
    FROM lineside.reading_minute m
    JOIN lineside.signal g ON g.id = m.signal
    JOIN lineside.origin o ON o.id = m.origin;

GRANT SELECT ON lineside.signal, lineside.origin, lineside.reading, lineside.reading_minute, lineside.samples,
    lineside.samples_by_minute, sync.stream, sync.reading_terms TO @station@;
REVOKE ALL ON FUNCTION sync.name_signals(text[], text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.open_stream(uuid, integer, bigint, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.forward(uuid, integer, bigint, bigint, integer[], timestamptz[], float8[], integer[],
    float4[], text[], bigint[], uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync._held_elsewhere(text, integer, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.make_room(timestamptz[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.drop_old_readings() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sync.name_signals(text[], text[]) TO @station@;
GRANT EXECUTE ON FUNCTION sync.open_stream(uuid, integer, bigint, uuid) TO @station@;
GRANT EXECUTE ON FUNCTION sync.forward(uuid, integer, bigint, bigint, integer[], timestamptz[], float8[], integer[],
    float4[], text[], bigint[], uuid) TO @station@;
GRANT EXECUTE ON FUNCTION sync.make_room(timestamptz[]) TO @station@;
