-- The log: change feed, audit trail and hash chain in one. Only _log adds to it, under the feed lock.

-- Ends sessions of stations that keep a transaction open over what they changed (or for long over nothing, which keeps
-- old rows and the queue of notifications from being cleared), and tells how many. A station calls functions one by
-- one, so no honest one does; the limits of its role end it too, but a role may lift its own limits.
CREATE OR REPLACE FUNCTION sync._end_sitters() RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT count(*) FILTER (WHERE pg_terminate_backend(a.pid))::integer
  FROM pg_stat_activity a JOIN sync.station s ON s.role_name = a.usename
  WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL
    AND ((a.state LIKE 'idle in transaction%' AND a.state_change < clock_timestamp() - interval '5 minutes')
         OR ((a.xact_start < clock_timestamp() - interval '15 minutes'  -- longer than a statement may take
              OR (a.state LIKE 'idle in transaction%' AND a.xact_start < clock_timestamp() - interval '5 seconds'))
             -- whoever only reads, as a first sync does, is in nobody's way
             AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.granted AND l.locktype = 'relation'
                         AND l.mode <> 'AccessShareLock')))
$$;

CREATE OR REPLACE FUNCTION sync._try_feed() RETURNS boolean
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
BEGIN
  LOCK TABLE sync.feed_lock IN EXCLUSIVE MODE;
  RETURN true;
EXCEPTION WHEN lock_not_available THEN
  RETURN false;
END $$;

CREATE OR REPLACE FUNCTION sync._lock_feed() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. 3 LOOP
    IF sync._try_feed() THEN
      RETURN;
    END IF;
    PERFORM pg_stat_clear_snapshot();
    PERFORM sync._end_sitters();
  END LOOP;
  LOCK TABLE sync.feed_lock IN EXCLUSIVE MODE;  -- as long as the caller's own limit says
END $$;

CREATE OR REPLACE FUNCTION sync._next_seq() RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT coalesce(max(seq), 0) + 1 FROM sync.log);
END $$;

-- Adds one record; `p_record` is everything but seq and at. An import has rows for a hundred megabytes: the caller may
-- hand them over as JSON text, p_rows, and then has noted in log_row what they touch. The caller holds the feed lock,
-- so max(seq) is final and seq is gapless in the order of the commits.
CREATE OR REPLACE FUNCTION sync._log(p_record jsonb, p_rows text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE v_before record; v_seq bigint; v_at timestamptz := clock_timestamp(); v_body text;
BEGIN
  SELECT l.seq, l.hash INTO v_before FROM sync.log l ORDER BY l.seq DESC LIMIT 1;
  v_seq := coalesce(v_before.seq, 0) + 1;
  v_body := (p_record || jsonb_build_object('seq', v_seq, 'at',  -- whatever the session has as its time zone
    to_char(v_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')))::text;
  IF p_rows IS NOT NULL THEN
    v_body := left(v_body, -1) || ', "rows": [' || p_rows || ']}';
  ELSE
    INSERT INTO sync.log_row (entity, id, version, seq, src, fields)
      SELECT r->>'e', (r->>'id')::uuid, (r->>'v')::bigint, v_seq, (p_record->>'src')::uuid,
             ARRAY(SELECT jsonb_object_keys(r->'set'))
      FROM jsonb_array_elements(p_record->'rows') r WHERE r->>'k' IN ('c', 'u');
  END IF;
  INSERT INTO sync.log (seq, hash, body, at)
    VALUES (v_seq, sha256(coalesce(v_before.hash, ''::bytea) || convert_to(v_body, 'UTF8')), v_body, v_at);
  PERFORM pg_notify('lineside', v_seq::text);  -- a hint, never data
  RETURN v_seq;
END $$;

-- What the server itself changed: `p_rows` as in an applied record. Takes the feed lock.
CREATE OR REPLACE FUNCTION sync._log_own(p_operation text, p_label text, p_rows jsonb) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM sync._lock_feed();
  RETURN sync._log(jsonb_build_object(
    'k', 'system', 'actor', 'server', 'operation', p_operation, 'label', p_label, 'rows', p_rows,
    'schema', (SELECT schema FROM sync.server)));
END $$;

-- The first record from p_from on that does not follow from the one before it, null when all do.
CREATE OR REPLACE FUNCTION sync.verify(p_from bigint DEFAULT 1) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT min(seq) FROM (
    SELECT seq, hash, body, lag(hash) OVER w AS before_hash, lag(seq) OVER w AS before_seq
    FROM sync.log WHERE seq >= p_from - 1 WINDOW w AS (ORDER BY seq)) z
  WHERE (before_seq IS NOT NULL
         AND (seq <> before_seq + 1 OR hash <> sha256(before_hash || convert_to(body, 'UTF8'))))
     OR (before_seq IS NULL AND seq > greatest(p_from - 1, 1))
     OR (seq = 1 AND hash <> sha256(convert_to(body, 'UTF8')))
     OR (length(body) < 1000000 AND (body::jsonb->>'seq')::bigint <> seq)
$$;

GRANT EXECUTE ON FUNCTION sync.verify(bigint) TO @station@;
