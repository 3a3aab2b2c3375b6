-- Who looks at what: a row that is older than a minute counts for nothing.

-- Says that p_actor on this station looks at a row now; p_entity null when at none any more.
CREATE OR REPLACE FUNCTION sync.look_at(p_entity text, p_id uuid, p_actor text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE s sync.station := sync._station();
BEGIN
  DELETE FROM sync.presence WHERE station = s.name
    AND ((actor = p_actor AND (entity, id) IS DISTINCT FROM (p_entity, p_id))
         OR at < clock_timestamp() - interval '60 seconds');
  IF p_entity IS NOT NULL AND p_id IS NOT NULL THEN
    INSERT INTO sync.presence (station, actor, entity, id, at)
      VALUES (s.name, left(p_actor, 60), left(p_entity, 60), p_id, clock_timestamp())
      ON CONFLICT (station, actor, entity, id) DO UPDATE SET at = excluded.at;
  END IF;
END $$;

-- Who looks at something on other stations: [{"station", "actor", "e", "id", "at"}].
CREATE OR REPLACE FUNCTION sync.lookers() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object('station', p.station, 'actor', p.actor, 'e', p.entity, 'id', p.id, 'at', p.at)
                            ORDER BY p.at), '[]')
  FROM sync.presence p
  WHERE p.at > clock_timestamp() - interval '60 seconds'
    AND p.station <> (SELECT name FROM sync.station WHERE role_name = session_user)
$$;

GRANT EXECUTE ON FUNCTION sync.look_at(text, uuid, text) TO @station@;
GRANT EXECUTE ON FUNCTION sync.lookers() TO @station@;
