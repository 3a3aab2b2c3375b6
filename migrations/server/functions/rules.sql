-- Who may set what: the tables sync.rule, role_permission, move, together, actor_column hold the declarations.
-- Written in PL/pgSQL also where SQL would do: it plans a statement once a session, SQL plans it in every transaction.

-- Those of p_fields ('+' for creating) that p_who may not set on a row like p_row. p_back: the entry only takes back
-- what another did: whoever may create may take back a creation, and a supervisor what others did on their own rows.
CREATE OR REPLACE FUNCTION sync._forbidden(
  p_who sync.author, p_entity text, p_fields text[], p_row jsonb, p_back boolean) RETURNS text[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT array_agg(f) FROM unnest(p_fields) f WHERE NOT EXISTS (
    SELECT FROM sync.rule r JOIN sync.role_permission p ON p.permission = r.permission AND p.role = p_who.role
    WHERE r.entity = p_entity
      AND (r.field = CASE WHEN EXISTS (SELECT FROM sync.rule n WHERE n.entity = p_entity AND n.field = f)
                          THEN f ELSE '*' END
           OR (p_back AND f = 'deleted' AND r.field = '+'))
      AND (r.own = '' OR p_row->>r.own IN (p_who.user_id::text, p_who.name)
           OR (p_back AND sync._may(p_who.role, 'MOVE_STAGES')))));
END $$;

-- Raises when p_who may not set p_fields of a row like p_row, or puts somebody else into a column that says who.
CREATE OR REPLACE FUNCTION sync._require(
  p_who sync.author, p_others text[], p_entity text, p_fields text[], p_row jsonb, p_set jsonb, p_back boolean)
RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE v_bad text[]; v_column text;
BEGIN
  IF p_who.brings THEN
    RETURN;
  END IF;
  v_bad := sync._forbidden(p_who, p_entity, p_fields, p_row, p_back);
  IF v_bad = ARRAY['+'] THEN
    RAISE EXCEPTION 'The role % may not make a new %.', p_who.role, replace(p_entity, '_', ' ') USING ERRCODE = '42501';
  ELSIF v_bad IS NOT NULL THEN
    RAISE EXCEPTION 'The role % may not change this of a %: %.', p_who.role, replace(p_entity, '_', ' '),
      replace(array_to_string(v_bad, ', '), '_', ' ') USING ERRCODE = '42501';
  END IF;
  IF p_back THEN
    RETURN;
  END IF;
  SELECT c.field INTO v_column FROM sync.actor_column c
    WHERE c.entity = p_entity
      AND p_set->>c.field <> ALL (p_others || CASE c.kind WHEN 'id' THEN p_who.user_id::text ELSE p_who.name END) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'Nobody can be named there but who did it: % of a %.', replace(v_column, '_', ' '),
      replace(p_entity, '_', ' ') USING ERRCODE = '42501';
  END IF;
END $$;

-- The first field of p_patch whose step from p_row (null: the row is new) is none of its legal ones; p_back allows a
-- step's reverse too. Without p_role all steps count, else those that this role may go.
CREATE OR REPLACE FUNCTION sync._illegal_move(p_role text, p_entity text, p_row jsonb, p_patch jsonb, p_back boolean)
RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT j.key FROM jsonb_each_text(p_patch) j
    WHERE EXISTS (SELECT FROM sync.move m
                  WHERE m.entity = p_entity AND m.field = j.key AND (m.a = '') = (p_row IS NULL))
      AND NOT EXISTS (SELECT FROM sync.move m WHERE m.entity = p_entity AND m.field = j.key
                      AND (p_role IS NULL OR m.permission = '' OR EXISTS (
                        SELECT FROM sync.role_permission p WHERE p.role = p_role AND p.permission = m.permission))
                      AND ((m.a = coalesce(p_row->>j.key, '') AND m.b = j.value)
                           OR (p_back AND m.b = p_row->>j.key AND m.a = j.value)))
    LIMIT 1);
END $$;

-- Raises when p_who may not go a step that others may, or may not make a row that begins like this (p_row null).
CREATE OR REPLACE FUNCTION sync._require_moves(
  p_who sync.author, p_entity text, p_row jsonb, p_patch jsonb, p_back boolean) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE f text := sync._illegal_move(p_who.role, p_entity, p_row, p_patch, p_back);
BEGIN
  IF f IS NULL OR p_who.brings THEN
    RETURN;
  ELSIF p_row IS NULL OR sync._illegal_move(NULL, p_entity, p_row, p_patch, p_back) IS NULL THEN
    RAISE EXCEPTION 'The role % may not make the % of a % “%”.', p_who.role, replace(f, '_', ' '),
      replace(p_entity, '_', ' '), replace(p_patch->>f, '_', ' ') USING ERRCODE = '42501';
  END IF;
END $$;

-- A field in dispute, with who set the server's value where and when.
CREATE OR REPLACE FUNCTION sync._dispute(p_entity text, p_id uuid, p_field text, p_base jsonb, p_mine jsonb, p_theirs jsonb)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE b jsonb;
BEGIN
  -- The record of an import has a hundred megabytes of rows at its end; they are not read for who, when and where.
  SELECT CASE WHEN octet_length(l.body) > 1000000 AND position(', "rows": [' IN left(l.body, 100000)) > 0
              THEN (split_part(left(l.body, 100000), ', "rows": [', 1) || '}')::jsonb ELSE l.body::jsonb END
    INTO b FROM sync.log_row r JOIN sync.log l USING (seq)
    WHERE r.entity = p_entity AND r.id = p_id AND (p_field = ANY (r.fields) OR p_field = '')
    ORDER BY r.version DESC LIMIT 1;
  RETURN jsonb_build_object('e', p_entity, 'id', p_id, 'field', p_field, 'base', p_base, 'mine', p_mine,
    'theirs', p_theirs, 'by', coalesce(b->>'actor', ''), 'at', b->'at', 'station', coalesce(b->>'station', ''));
END $$;
