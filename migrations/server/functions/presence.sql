-- Who looks at what: a row that is older than a minute counts for nothing.

-- Says that p_actor on this station looks at a row now, or edits it; p_entity null when at none any more.
CREATE OR REPLACE FUNCTION sync.look_at(p_entity text, p_id uuid, p_actor text, p_editing boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE s sync.station := sync._station(); v_actor text := left(p_actor, 60);
BEGIN
  DELETE FROM sync.presence WHERE station = s.name
    AND ((actor = v_actor AND (entity, id) IS DISTINCT FROM (p_entity, p_id))
         OR at < clock_timestamp() - interval '60 seconds');
  IF p_entity IS NOT NULL AND p_id IS NOT NULL THEN
    INSERT INTO sync.presence (station, actor, entity, id, at, editing)
      SELECT s.name, v_actor, left(p_entity, 60), p_id, clock_timestamp(), coalesce(p_editing, false)
      WHERE (SELECT count(*) FROM sync.presence WHERE station = s.name) < 100  -- a hint, not a place to keep things
      ON CONFLICT (station, actor, entity, id) DO UPDATE SET at = excluded.at, editing = excluded.editing;
  END IF;
END $$;

-- Who looks at something on other stations: [{"station", "actor", "e", "id", "at", "editing"}].
CREATE OR REPLACE FUNCTION sync.lookers() RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object('station', p.station, 'actor', p.actor, 'e', p.entity, 'id', p.id, 'at', p.at,
                                               'editing', p.editing)
                            ORDER BY p.at), '[]')
  FROM sync.presence p
  WHERE p.at > clock_timestamp() - interval '60 seconds'
    AND p.station <> (SELECT name FROM sync.station WHERE role_name = session_user)
$$;

GRANT EXECUTE ON FUNCTION sync.look_at(text, uuid, text, boolean) TO @station@;
GRANT EXECUTE ON FUNCTION sync.lookers() TO @station@;
