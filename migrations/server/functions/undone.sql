-- What an entry may besides the ordinary rules: take back what another one did, and speak for whom it settles.

-- What the change p_change did, as a map: 'c/table/id' for a new row, 'u/table/id' -> the values before for a changed
-- one. Null when no such change was applied: then nothing is taken back, and the ordinary rules judge the entry.
CREATE OR REPLACE FUNCTION sync._undone(p_who sync.author, p_change uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE b jsonb; v_map jsonb;
BEGIN
  SELECT l.body::jsonb INTO b FROM sync.txn t JOIN sync.log l ON l.seq = t.seq
    WHERE t.change_id = p_change AND t.verdict = 'applied';
  IF NOT FOUND THEN
    RETURN NULL;
  ELSIF b->>'actor_id' IS DISTINCT FROM p_who.user_id::text AND NOT sync._may(p_who.role, 'MOVE_STAGES') THEN
    RAISE EXCEPTION 'Only the person who made this change, or a supervisor, may undo it.' USING ERRCODE = '42501';
  END IF;
  SELECT jsonb_object_agg(z.key, z.was) INTO v_map FROM (
    SELECT (r->>'k') || '/' || (r->>'e') || '/' || (r->>'id') AS key, coalesce(r->'was', 'null') AS was
      FROM jsonb_array_elements(b->'rows') r WHERE r->>'k' IN ('c', 'u')
    UNION ALL
    SELECT 'c/' || (r->>'e') || '/' || i, 'null'
      FROM jsonb_array_elements(b->'rows') r, jsonb_array_elements_text(r->'ids') i WHERE r->>'k' = 'm') z;
  RETURN v_map;
END $$;

-- Whether the fields p_asked of a row, set to p_want, all go back to what they were before the undone change.
CREATE OR REPLACE FUNCTION sync._takes_back(p_undone jsonb, p_entity text, p_id uuid, p_asked text[], p_want jsonb)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT p_undone IS NOT NULL AND NOT EXISTS (
    SELECT FROM unnest(p_asked) f WHERE NOT (
      coalesce(p_undone->('u/' || p_entity || '/' || p_id)->f = p_want->f, false)
      OR (f = 'deleted' AND p_want->>f = 'true' AND p_undone ? ('c/' || p_entity || '/' || p_id))))
$$;

-- Ids and names of the people whose parked entries p_resolves settles: what they did may be put down under their name.
CREATE OR REPLACE FUNCTION sync._settled_people(p_resolves jsonb) RETURNS text[]
LANGUAGE sql STABLE AS $$
  SELECT coalesce(array_agg(a.id::text) || array_agg(a.name), '{}') FROM jsonb_array_elements(p_resolves) z
    JOIN sync.txn t ON t.src = (z->>0)::uuid AND t.n = (z->>1)::bigint
    JOIN lineside.user_account a ON a.id = t.actor_id
    WHERE t.verdict <> 'applied' AND t.settled_seq IS NULL
$$;

REVOKE ALL ON FUNCTION sync._undone(sync.author, uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync._takes_back(jsonb, text, uuid, text[], jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync._settled_people(jsonb) FROM PUBLIC;
