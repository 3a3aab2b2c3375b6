-- Of all copies of a station's data folder one at a time has its machines, so that two never drive the same.

-- Why a run of a collector must not speak for its station; null when it may. A program that names no run may as long
-- as none ever did.
CREATE OR REPLACE FUNCTION sync._fence(p_station text, p_run uuid) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    holder uuid;
BEGIN
    SELECT c.run INTO holder FROM sync.collector c WHERE c.station = p_station;
    IF holder IS NOT DISTINCT FROM p_run THEN
        RETURN NULL;
    END IF;
    RETURN format('Another copy of the data folder of station %s is running and has its machines; stop one of the two.',
        p_station);
END $$;

CREATE OR REPLACE FUNCTION sync._unfenced(p_station text, p_run uuid) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE
    fence text := sync._fence(p_station, p_run);
BEGIN
    IF fence IS NOT NULL THEN
        RAISE EXCEPTION '%', fence USING ERRCODE = 'SY006';
    END IF;
END $$;

-- A collector begins, and asks so again with every heartbeat. `p_copy` is its folder on its computer, `p_run` this run,
-- `p_after` the runs before in the very same folder, which are over since this one holds the folder's lock. Another copy
-- has to wait until nothing was heard of the first for the whole silence, and to have been here itself meanwhile; the
-- machines then change hands as between two stations, under new epochs.
CREATE OR REPLACE FUNCTION sync.begin_collecting(p_copy uuid, p_run uuid, p_after uuid[]) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    me text := (sync._station()).name;
    silence interval := (SELECT t.silence FROM sync.lease_terms t);
    moment timestamptz;
    known sync.collector;
    pause interval := least(silence, interval '30 seconds');
    gone boolean;
    reason text;
BEGIN
    INSERT INTO sync.collector (station, copy, run, backend, began_at, seen_at)
        VALUES (me, p_copy, p_run, pg_backend_pid(), clock_timestamp(), clock_timestamp())
        ON CONFLICT (station) DO NOTHING;
    IF FOUND THEN
        RETURN '{"granted": true, "why": "free"}';
    END IF;
    SELECT c.* INTO known FROM sync.collector c WHERE c.station = me FOR UPDATE;
    moment := clock_timestamp();
    gone := NOT EXISTS (
        SELECT FROM pg_stat_activity a JOIN sync.station s ON s.role_name = a.usename
        WHERE a.pid = known.backend AND s.name = me);
    IF known.run = p_run THEN
        reason := 'own';
    ELSIF known.copy = p_copy AND ((known.run = ANY (p_after) AND gone) OR known.seen_at < moment - pause) THEN
        reason := 'again';
        IF NOT gone THEN  -- a line that nobody hung up: whoever was there may still believe that it sends
            UPDATE sync.lease l SET sends_from = greatest(l.sends_from, known.seen_at + silence + interval '15 seconds')
                WHERE l.station = me;
        END IF;
    ELSIF known.seen_at <= moment - silence AND known.asked_run = p_run AND known.asked_at > moment - pause
        AND known.asked_since <= moment - silence
    THEN
        reason := 'silent';
        PERFORM sync._pass_machines_on(me, moment);
    ELSE
        UPDATE sync.collector c SET asked_run = p_run, asked_at = moment,
            asked_since = CASE WHEN c.asked_run = p_run AND c.asked_at > moment - pause THEN c.asked_since ELSE moment END
            WHERE c.station = me;
        RETURN jsonb_build_object('granted', false, 'why', 'copy', 'sentence', sync._fence(me, p_run));
    END IF;
    UPDATE sync.collector c SET copy = p_copy, run = p_run, backend = pg_backend_pid(), seen_at = moment,
        began_at = CASE WHEN reason = 'own' THEN c.began_at ELSE moment END, asked_run = NULL WHERE c.station = me;
    RETURN jsonb_build_object('granted', true, 'why', reason);
END $$;

-- All machines of a station go from one copy of its folder to another: every lease under a new epoch.
CREATE OR REPLACE FUNCTION sync._pass_machines_on(p_station text, p_at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE sync.lease IN SHARE ROW EXCLUSIVE MODE;
    UPDATE sync.lease_term t SET ended_at = p_at FROM sync.lease l
        WHERE l.station = p_station AND t.connection = l.connection AND t.epoch = l.epoch AND t.ended_at IS NULL;
    UPDATE sync.lease l SET epoch = l.epoch + 1, granted_at = p_at, seen_at = p_at,
        sends_from = p_at + interval '15 seconds' WHERE l.station = p_station;
    INSERT INTO sync.lease_term (connection, epoch, station, granted_at, why)
        SELECT l.connection, l.epoch, l.station, p_at, 'silent' FROM sync.lease l WHERE l.station = p_station;
    PERFORM pg_notify('lineside_live', 'lease');
END $$;

REVOKE ALL ON FUNCTION sync._fence(text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync._unfenced(text, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync._pass_machines_on(text, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.begin_collecting(uuid, uuid, uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sync.begin_collecting(uuid, uuid, uuid[]) TO @station@;
