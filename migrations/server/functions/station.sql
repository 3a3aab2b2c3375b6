-- Who is connected, and under which identity a data folder offers its changes.

CREATE OR REPLACE FUNCTION sync._station() RETURNS sync.station
LANGUAGE plpgsql STABLE AS $$
DECLARE s sync.station;
BEGIN
  SELECT * INTO s FROM sync.station WHERE role_name = session_user;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'The role % is no station of this server; add the station first.', session_user USING ERRCODE = 'SY004';
  END IF;
  IF s.disabled THEN
    RAISE EXCEPTION 'The station % is disabled on the server; ask an administrator.', s.name USING ERRCODE = 'SY005';
  END IF;
  RETURN s;
END $$;

CREATE OR REPLACE FUNCTION sync.hello(p_schema integer, p_program text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE s sync.station := sync._station(); v sync.server; h record;
BEGIN
  PERFORM sync._end_sitters();
  SELECT * INTO v FROM sync.server;
  UPDATE sync.station SET last_seen = clock_timestamp(), program = left(p_program, 100) WHERE name = s.name;
  SELECT l.seq, encode(l.hash, 'hex') AS hash INTO h FROM sync.log l ORDER BY l.seq DESC LIMIT 1;
  RETURN jsonb_build_object(
    'server_id', v.id, 'station', s.name, 'schema', v.schema, 'min_schema', v.min_schema, 'may_bring', s.may_bring,
    'now', clock_timestamp(), 'grant_days', v.grant_days, 'reserve_days', v.reserve_days,
    'head', jsonb_build_object('seq', coalesce(h.seq, 0), 'hash', coalesce(h.hash, '')));
END $$;

CREATE OR REPLACE FUNCTION sync.open_source(p_src uuid, p_schema integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE s sync.station := sync._station(); v_last bigint;
BEGIN
  IF (SELECT count(*) FROM sync.source WHERE station = s.name) >= 10000 THEN
    RAISE EXCEPTION 'The station % has begun anew too often; ask an administrator.', s.name USING ERRCODE = 'SY005';
  END IF;
  INSERT INTO sync.source (src, station, schema) VALUES (p_src, s.name, p_schema)
    ON CONFLICT (src) DO UPDATE SET schema = excluded.schema
    WHERE source.station = excluded.station;
  SELECT last_n INTO v_last FROM sync.source WHERE src = p_src AND station = s.name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'This data folder is known as another station''s; it cannot be opened by %.', s.name USING ERRCODE = '42501';
  END IF;
  RETURN v_last;
END $$;

CREATE OR REPLACE FUNCTION sync.end_bringing() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE s sync.station := sync._station();
BEGIN
  UPDATE sync.station SET may_bring = false WHERE name = s.name AND may_bring;
END $$;

GRANT EXECUTE ON FUNCTION sync.hello(integer, text) TO @station@;
GRANT EXECUTE ON FUNCTION sync.open_source(uuid, integer) TO @station@;
GRANT EXECUTE ON FUNCTION sync.end_bringing() TO @station@;
