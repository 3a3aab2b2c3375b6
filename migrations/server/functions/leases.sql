-- Who talks to which machine: one row a connection, an epoch that grows with every new holder, the server's clock.

-- A station shows that it is here. `since` begins anew after half a minute in which nothing was heard of it.
CREATE OR REPLACE FUNCTION sync._machine_presence(p_station text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO sync.live_station AS known (station, rev, since, seen_at)
    VALUES (p_station, 0, clock_timestamp(), clock_timestamp())
    ON CONFLICT (station) DO UPDATE SET
        since = CASE WHEN known.seen_at < clock_timestamp() - interval '30 seconds'
            THEN clock_timestamp() ELSE known.since END,
        seen_at = clock_timestamp()
$$;

-- How a lease looks to whoever asks: times as seconds, since nobody's own clock is believed.
CREATE OR REPLACE FUNCTION sync._lease_words(p_lease sync.lease) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object(
        'connection', p_lease.connection, 'epoch', p_lease.epoch, 'station', p_lease.station,
        'unseen', greatest(0, extract(epoch FROM clock_timestamp() - p_lease.seen_at))::float8,
        'sends_in', greatest(0, extract(epoch FROM p_lease.sends_from - clock_timestamp()))::float8)
$$;

-- Ask for a machine. `p_takeover` is the id of the row in which a person ordered it, `p_answered` says that the
-- machine answered the asking station just now. Returns the lease as it is afterwards, with `granted` and `why`.
CREATE OR REPLACE FUNCTION sync.take_lease(
    p_connection uuid, p_takeover uuid, p_answered boolean, p_run uuid DEFAULT NULL
) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    me text := (sync._station()).name;
    moment timestamptz;
    silence interval;
    policy text := 'auto';
    prefers text := '';
    held sync.lease;
    reason text;
    sends timestamptz;
BEGIN
    PERFORM sync._unfenced(me, p_run);
    PERFORM sync._machine_presence(me);
    -- One at a time, also while a machine has no row yet; stations cannot hold this lock, as they could an advisory one.
    LOCK TABLE sync.lease IN SHARE ROW EXCLUSIVE MODE;
    SELECT t.silence INTO silence FROM sync.lease_terms t;
    SELECT coalesce(c.settings ->> 'takeover', 'auto'), coalesce(c.settings ->> 'station', '')
        INTO policy, prefers FROM lineside.connection c WHERE c.id = p_connection;
    policy := coalesce(policy, 'auto');
    prefers := coalesce(prefers, '');
    SELECT l.* INTO held FROM sync.lease l WHERE l.connection = p_connection FOR UPDATE;
    moment := clock_timestamp();
    IF held.connection IS NOT NULL AND held.station = me THEN
        UPDATE sync.lease l SET seen_at = moment WHERE l.connection = p_connection RETURNING l.* INTO held;
        RETURN sync._lease_words(held) || '{"granted": true, "why": "own"}';
    END IF;
    sends := moment;
    IF (SELECT count(*) FROM sync.lease l WHERE l.station = me) >= 5000 THEN
        RAISE EXCEPTION 'One station talks to 5,000 machines at most.' USING ERRCODE = 'SY011';
    END IF;
    IF held.connection IS NULL THEN
        IF prefers NOT IN ('', me) AND (policy = 'never' OR EXISTS (
            SELECT FROM sync.live_station s WHERE s.station = prefers AND s.seen_at > moment - silence
        )) THEN
            RETURN jsonb_build_object('granted', false, 'why', 'kept', 'station', prefers);
        END IF;
        reason := 'free';
    ELSIF policy = 'never' THEN
        RETURN sync._lease_words(held) || '{"granted": false, "why": "never"}';
    ELSIF p_takeover IS NOT NULL THEN
        IF NOT EXISTS (
            SELECT FROM lineside.machine_takeover w
            WHERE w.id = p_takeover AND w.connection_id = p_connection AND w.station = me AND NOT w.deleted
        ) THEN
            RETURN sync._lease_words(held) || '{"granted": false, "why": "unordered"}';
        END IF;
        IF EXISTS (SELECT FROM sync.lease_term t WHERE t.takeover = p_takeover) THEN
            RETURN sync._lease_words(held) || '{"granted": false, "why": "used"}';
        END IF;
        reason := 'by hand';
        -- Whoever held it stops sending when it has not reached this server for so long, or says sooner that it let go.
        sends := greatest(moment, held.seen_at + silence + interval '15 seconds');
    ELSIF policy <> 'auto' THEN
        RETURN sync._lease_words(held) || '{"granted": false, "why": "ask"}';
    ELSIF held.seen_at > moment - silence THEN
        RETURN sync._lease_words(held) || '{"granted": false, "why": "held"}';
    ELSIF NOT EXISTS (
        -- Only who was here for the whole silence knows that it was the holder's, and not that of the server.
        SELECT FROM sync.live_station s WHERE s.station = me AND s.since <= moment - silence
    ) THEN
        RETURN sync._lease_words(held) || '{"granted": false, "why": "new here"}';
    ELSIF p_answered IS NOT TRUE THEN
        RETURN sync._lease_words(held) || '{"granted": false, "why": "unanswered"}';
    ELSE
        reason := 'silent';
        sends := moment + interval '15 seconds';  -- what the holder began to send just before may still be under way
    END IF;
    UPDATE sync.lease_term t SET ended_at = moment
        WHERE t.connection = p_connection AND t.epoch = held.epoch AND t.ended_at IS NULL;
    INSERT INTO sync.lease AS l (connection, epoch, station, granted_at, seen_at, sends_from)
        VALUES (p_connection, coalesce(held.epoch, 0) + 1, me, moment, moment, sends)
        ON CONFLICT (connection) DO UPDATE SET epoch = l.epoch + 1, station = me, granted_at = moment,
            seen_at = moment, sends_from = sends
        RETURNING l.* INTO held;
    INSERT INTO sync.lease_term (connection, epoch, station, granted_at, why, takeover)
        VALUES (p_connection, held.epoch, me, moment, reason, CASE WHEN reason = 'by hand' THEN p_takeover END);
    PERFORM pg_notify('lineside_live', 'lease');
    RETURN sync._lease_words(held) || jsonb_build_object('granted', true, 'why', reason);
END $$;

-- The heartbeat: these are the machines that I drive. Returns every lease there is, and the terms.
CREATE OR REPLACE FUNCTION sync.keep_leases(p_connections uuid[], p_run uuid DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    me text := (sync._station()).name;
    held jsonb;
BEGIN
    IF sync._fence(me, p_run) IS NULL THEN
        PERFORM sync._machine_presence(me);
        UPDATE sync.lease l SET seen_at = clock_timestamp()
            WHERE l.station = me AND l.connection = ANY (p_connections);
    END IF;
    SELECT coalesce(jsonb_agg(sync._lease_words(l)), '[]') INTO held FROM sync.lease l;
    RETURN jsonb_build_object('station', me, 'now', extract(epoch FROM clock_timestamp())::float8,
        'silence', (SELECT extract(epoch FROM t.silence)::float8 FROM sync.lease_terms t), 'leases', held);
END $$;

-- Asked right before a value is sent to a machine: whether this epoch still holds, and for how long to wait.
CREATE OR REPLACE FUNCTION sync.holds_lease(p_connection uuid, p_epoch bigint, p_run uuid DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    me text := (sync._station()).name;
    held sync.lease;
BEGIN
    PERFORM sync._unfenced(me, p_run);
    UPDATE sync.lease l SET seen_at = clock_timestamp()
        WHERE l.connection = p_connection AND l.station = me AND l.epoch = p_epoch RETURNING l.* INTO held;
    IF held.connection IS NULL THEN
        RETURN '{"holds": false}';
    END IF;
    RETURN sync._lease_words(held) || '{"holds": true}';
END $$;

-- Whoever lost a machine says that its link is closed and nothing is being sent any more.
CREATE OR REPLACE FUNCTION sync.let_go(p_connection uuid, p_epoch bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    me text := (sync._station()).name;
BEGIN
    IF EXISTS (
        SELECT FROM sync.lease_term t WHERE t.connection = p_connection AND t.epoch = p_epoch AND t.station = me
    ) THEN
        UPDATE sync.lease l SET sends_from = least(l.sends_from, clock_timestamp())
            WHERE l.connection = p_connection AND l.epoch = p_epoch + 1;
        PERFORM pg_notify('lineside_live', 'lease');
    END IF;
END $$;

GRANT SELECT ON sync.lease, sync.lease_term, sync.lease_terms TO @station@;
GRANT SELECT ON lineside.machine_takeover TO @station@;
REVOKE ALL ON FUNCTION sync._machine_presence(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync._lease_words(sync.lease) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.take_lease(uuid, uuid, boolean, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.keep_leases(uuid[], uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.holds_lease(uuid, bigint, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.let_go(uuid, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sync.take_lease(uuid, uuid, boolean, uuid) TO @station@;
GRANT EXECUTE ON FUNCTION sync.keep_leases(uuid[], uuid) TO @station@;
GRANT EXECUTE ON FUNCTION sync.holds_lease(uuid, bigint, uuid) TO @station@;
GRANT EXECUTE ON FUNCTION sync.let_go(uuid, bigint) TO @station@;
