-- What stations read: all shared rows, the log, and how far each source came; and the comparison of both sides.

-- Of every shared table the number of living rows and a sum over id and version, with the head of the log at the same
-- moment: {"seq", "hash", "tables": {name: {"count", "sum"}}}.
CREATE OR REPLACE FUNCTION sync.digests() RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE v_tables jsonb := '{}'; v_name text; x jsonb; h record;
BEGIN
  FOR v_name IN SELECT name FROM sync.entity ORDER BY name LOOP
    EXECUTE format(
      'SELECT jsonb_build_object(''count'', count(*), ''sum'', coalesce(
         sum((''x'' || substr(md5(id::text || '':'' || version), 1, 15))::bit(60)::bigint), 0))
       FROM lineside.%I WHERE NOT deleted', v_name) INTO x;
    v_tables := v_tables || jsonb_build_object(v_name, x);
  END LOOP;
  SELECT l.seq, encode(l.hash, 'hex') AS hash INTO h FROM sync.log l ORDER BY l.seq DESC LIMIT 1;
  RETURN jsonb_build_object('seq', coalesce(h.seq, 0), 'hash', coalesce(h.hash, ''), 'tables', v_tables);
END $$;

GRANT EXECUTE ON FUNCTION sync.digests() TO @station@;
GRANT SELECT ON ALL TABLES IN SCHEMA lineside TO @station@;
GRANT SELECT ON sync.log, sync.source TO @station@;
GRANT SELECT (src, n, change_id, digest, verdict, seq, settled_seq) ON sync.txn TO @station@;
