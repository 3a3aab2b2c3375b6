-- One row of an entry against the row that the server has. Each answers {"row": for the log} or {"bad": [disputes]},
-- and "merged" where others changed other fields meanwhile. The caller holds the feed lock.

-- Whether a text, of one row or of many, is worth a closer look; hardly any is.
CREATE OR REPLACE FUNCTION sync._may_be_unreadable(p_text text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN p_text ~ '"-?[Ii]nfinity"|"NaN"| BC"|"[0-9]{5,}-|"9999-|"0[0-9]{3}-';
END $$;

-- Raises where p_row, as stored, has a time that a calendar does not know or a number that is none: PostgreSQL takes
-- infinity, NaN, years before Christ and after 9999; a station could not read them.
CREATE OR REPLACE FUNCTION sync._require_readable(p_entity text, p_row jsonb) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE v_field text;
BEGIN
  IF NOT sync._may_be_unreadable(p_row::text) THEN
    RETURN;
  END IF;
  SELECT a.attname INTO v_field FROM jsonb_each_text(p_row) f
    JOIN pg_attribute a ON a.attrelid = format('lineside.%I', p_entity)::regclass AND a.attname = f.key
    WHERE (a.atttypid = 'timestamptz'::regtype AND (f.value !~ '^[1-9][0-9]{3}-[^ ]*$' OR f.value LIKE '9999-%'))
       OR (a.atttypid = 'float8'::regtype AND f.value ~ '[aI]') LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'The server cannot keep this: % of a %.', replace(v_field, '_', ' '), replace(p_entity, '_', ' ')
      USING ERRCODE = 'SY011';
  END IF;
END $$;

-- A new row. p_others: whom else the entry may name.
CREATE OR REPLACE FUNCTION sync._create(p_who sync.author, p_others text[], p_row jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  e text := p_row->>'e'; v_id uuid := (p_row->>'id')::uuid; v_version bigint := greatest((p_row->>'v')::bigint, 1);
  want jsonb; v_known jsonb; v_stored jsonb; cols text; f text;
BEGIN
  SELECT coalesce(jsonb_object_agg(key, value->1), '{}') INTO want FROM jsonb_each(p_row->'set')
    WHERE NOT EXISTS (SELECT FROM sync.server_field s WHERE s.entity = e AND s.field = key);
  EXECUTE format('SELECT to_jsonb(t) FROM lineside.%I t WHERE id = $1', e) INTO v_known USING v_id;
  IF v_known IS NOT NULL THEN
    RETURN jsonb_build_object('bad', jsonb_build_array(sync._dispute(e, v_id, '', NULL, want, v_known)));
  END IF;
  EXECUTE format('SELECT to_jsonb(w) FROM jsonb_populate_record(NULL::lineside.%I, $1) w', e) INTO v_known USING want;
  SELECT key INTO f FROM jsonb_object_keys(want) key WHERE key IN ('id', 'version') OR NOT v_known ? key LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'The server does not know the field % of a %.', f, replace(e, '_', ' ') USING ERRCODE = 'SY011';
  END IF;
  PERFORM sync._require(p_who, p_others, e, ARRAY['+'], v_known || jsonb_build_object('id', v_id), v_known, false);
  PERFORM sync._require_moves(p_who, e, NULL, v_known, false);
  SELECT string_agg(quote_ident(key), ', ') INTO cols FROM jsonb_object_keys(want) key;
  EXECUTE format(
    'INSERT INTO lineside.%1$I AS t (id, version, %2$s) SELECT $1, $2, %2$s
     FROM jsonb_populate_record(NULL::lineside.%1$I, $3) RETURNING to_jsonb(t) - ''id'' - ''version''', e, cols)
    INTO v_stored USING v_id, v_version, want;
  PERFORM sync._require_readable(e, v_stored);
  RETURN jsonb_build_object('row', jsonb_build_object('e', e, 'id', v_id, 'k', 'c', 'v', v_version, 'set', v_stored));
END $$;

-- Fields of a row that others changed since the author saw version p_version; p_now is the row's version.
CREATE OR REPLACE FUNCTION sync._changed_by_others(p_src uuid, p_entity text, p_id uuid, p_unseen bigint) RETURNS text[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF p_unseen <= 0 THEN
    RETURN NULL;
  END IF;
  -- Everything that this source sent before is in, so what it has not seen are the newest changes of other sources.
  RETURN (SELECT array_agg(DISTINCT f) FROM (
    SELECT r.fields FROM sync.log_row r
    WHERE r.entity = p_entity AND r.id = p_id AND r.src IS DISTINCT FROM p_src
    ORDER BY r.version DESC LIMIT p_unseen) z, unnest(z.fields) f);
END $$;

-- A changed row: every field from the value that the author saw. p_undone: what the entry takes back, see sync._undone.
CREATE OR REPLACE FUNCTION sync._change(p_src uuid, p_who sync.author, p_others text[], p_undone jsonb, p_row jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  e text := p_row->>'e'; v_id uuid := (p_row->>'id')::uuid; v_seen bigint := (p_row->>'v')::bigint - 1;
  b jsonb; w jsonb; base jsonb; want jsonb; cur jsonb; aft jsonb;
  f text; v_back boolean; asked text[] := '{}'; patch jsonb := '{}'; bad jsonb := '[]'; others text[]; out jsonb; cols text;
BEGIN
  SELECT coalesce(jsonb_object_agg(key, value->0), '{}'), coalesce(jsonb_object_agg(key, value->1), '{}') INTO b, w
    FROM jsonb_each(p_row->'set');
  EXECUTE format(
    'SELECT to_jsonb(b), to_jsonb(w), to_jsonb(t) FROM jsonb_populate_record(NULL::lineside.%1$I, $2) b
     CROSS JOIN jsonb_populate_record(NULL::lineside.%1$I, $3) w LEFT JOIN lineside.%1$I t ON t.id = $1', e)
    INTO base, want, cur USING v_id, b, w;
  IF cur IS NULL THEN
    RETURN jsonb_build_object('bad', jsonb_build_array(sync._dispute(e, v_id, '', NULL, w, NULL)));
  END IF;
  FOR f IN SELECT jsonb_object_keys(w) LOOP
    IF f IN ('id', 'version') OR NOT cur ? f THEN
      RAISE EXCEPTION 'The server does not know the field % of a %.', f, replace(e, '_', ' ') USING ERRCODE = 'SY011';
    END IF;
    IF base->f IS DISTINCT FROM want->f THEN
      asked := array_append(asked, f);
    END IF;
    IF cur->f = want->f THEN
      NULL;  -- the server has it already
    ELSIF cur->f = base->f THEN
      patch := patch || jsonb_build_object(f, want->f);
    ELSE
      bad := bad || sync._dispute(e, v_id, f, base->f, want->f, cur->f);
    END IF;
  END LOOP;
  others := sync._changed_by_others(p_src, e, v_id, (cur->>'version')::bigint - v_seen);
  IF (cur->>'deleted')::boolean AND want->'deleted' IS DISTINCT FROM 'false' AND patch <> '{}' THEN
    bad := bad || sync._dispute(e, v_id, 'deleted', 'false', coalesce(w->'deleted', 'false'), 'true');
  ELSIF patch->>'deleted' = 'true' AND v_seen IS DISTINCT FROM (cur->>'version')::bigint
        -- That the server itself noted something, as that a photo's bytes came, is nothing somebody did.
        AND NOT coalesce(others <@ ARRAY(SELECT s.field::text FROM sync.server_field s WHERE s.entity = e), false) THEN
    SELECT bad || sync._dispute(e, v_id, 'deleted', 'false', 'true', 'false')
           || coalesce(jsonb_agg(sync._dispute(e, v_id, o, NULL, NULL, cur->o)) FILTER (WHERE NOT w ? o), '[]')
      INTO bad FROM unnest(others) o;
  END IF;
  IF EXISTS (SELECT FROM sync.server_field s WHERE s.entity = e AND s.field = ANY (asked)) THEN
    RAISE EXCEPTION 'Only the server itself sets this of a %.', replace(e, '_', ' ') USING ERRCODE = '42501';
  END IF;
  v_back := p_undone IS NOT NULL AND sync._takes_back(p_undone, e, v_id, asked, want);
  PERFORM sync._require(p_who, p_others, e, asked, cur, (SELECT jsonb_object_agg(k, want->k) FROM unnest(asked) k), v_back);
  IF bad = '[]' AND NOT p_who.brings THEN
    PERFORM sync._require_moves(p_who, e, cur, patch, v_back);
    f := sync._illegal_move(NULL, e, cur, patch, v_back);
    IF f IS NOT NULL THEN
      bad := bad || sync._dispute(e, v_id, f, base->f, want->f, cur->f);
    END IF;
  END IF;
  IF others IS NOT NULL THEN  -- fields that belong together conflict as one, also those that the entry does not name
    SELECT bad || coalesce(jsonb_agg(sync._dispute(e, v_id, o.field, NULL, NULL, cur->o.field)), '[]') INTO bad
      FROM sync.together o WHERE o.entity = e AND o.field = ANY (others) AND NOT w ? o.field
        AND EXISTS (SELECT FROM sync.together m WHERE m.entity = e AND m.grp = o.grp AND patch ? m.field);
  END IF;
  IF bad <> '[]' THEN
    RETURN jsonb_build_object('bad', bad);
  END IF;
  -- The version grows also when the server had all of it already: the author counts every change of theirs.
  SELECT coalesce(string_agg(format(', %1$I = p.%1$I', key), ''), '') INTO cols FROM jsonb_object_keys(patch) key;
  EXECUTE format(
    'UPDATE lineside.%1$I AS t SET version = t.version + 1%2$s FROM jsonb_populate_record(NULL::lineside.%1$I, $1) p
     WHERE t.id = $2 RETURNING to_jsonb(t)', e, cols) INTO aft USING patch, v_id;
  PERFORM sync._require_readable(e, aft);
  SELECT coalesce(jsonb_object_agg(key, value), '{}'), coalesce(jsonb_object_agg(key, cur->key), '{}') INTO w, b
    FROM jsonb_each(aft) WHERE key <> 'version' AND value IS DISTINCT FROM cur->key;
  out := jsonb_build_object('row', jsonb_build_object(
    'e', e, 'id', v_id, 'k', 'u', 'v', aft->'version', 'set', w, 'was', b));
  SELECT array_agg(o ORDER BY o) INTO others FROM unnest(others) o
    WHERE NOT p_row->'set' ? o AND NOT EXISTS (SELECT FROM sync.server_field s WHERE s.entity = e AND s.field = o);
  IF others IS NOT NULL THEN
    out := out || jsonb_build_object('merged', jsonb_build_object('e', e, 'id', v_id, 'fields', others));
  END IF;
  RETURN out;
END $$;

-- Many new rows of one table at once: their ids, and what the log says of them. As text, since jsonb of an import of
-- 50,000 orders takes three times as long.
CREATE OR REPLACE FUNCTION sync._create_many(
  p_who sync.author, p_others text[], p_row jsonb, OUT p_new uuid[], OUT p_logged text)
LANGUAGE plpgsql AS $$
DECLARE
  e text := p_row->>'e'; c record; v_rows jsonb := p_row->'rows'; v_ids jsonb := p_row->'ids';
  v_names text := ''; v_values text := ''; v_out text; v_columns text[];
  v_id_text text; v_row_text text;
BEGIN
  IF jsonb_array_length(v_rows) <> jsonb_array_length(v_ids) THEN
    RAISE EXCEPTION 'The entry counts other rows than it holds.' USING ERRCODE = 'SY011';
  END IF;
  PERFORM sync._require(p_who, p_others, e, ARRAY['+'], '{}', '{}', false);
  FOR c IN
    SELECT z.value AS field, (z.ordinality - 1)::integer AS at, format_type(a.atttypid, a.atttypmod) AS type,
      EXISTS (SELECT FROM sync.server_field s WHERE s.entity = e AND s.field = z.value) AS set_by_server,
      EXISTS (SELECT FROM sync.actor_column w WHERE w.entity = e AND w.field = z.value) AS says_who,
      EXISTS (SELECT FROM sync.move m WHERE m.entity = e AND m.field = z.value AND m.a = '') AS moves
    FROM jsonb_array_elements_text(p_row->'columns') WITH ORDINALITY z
    LEFT JOIN pg_attribute a ON a.attrelid = format('lineside.%I', e)::regclass AND a.attname = z.value
      AND a.attnum > 0 AND NOT a.attisdropped AND a.attname NOT IN ('id', 'version')
    ORDER BY z.ordinality
  LOOP
    IF c.type IS NULL THEN
      RAISE EXCEPTION 'The server does not know the field % of a %.', c.field, replace(e, '_', ' ') USING ERRCODE = 'SY011';
    END IF;
    CONTINUE WHEN c.set_by_server;
    v_names := v_names || format(', %I', c.field);
    v_values := v_values || CASE WHEN c.type = 'jsonb' THEN format(', nullif(r->%s, ''null'')', c.at)
                                 ELSE format(', (r->>%s)::%s', c.at, c.type) END;
    IF c.says_who THEN
      PERFORM sync._require_own_name(p_who, p_others, e, c.field, c.at, v_rows);
    END IF;
    IF c.moves THEN
      PERFORM sync._require_moves(p_who, e, NULL, jsonb_build_object(c.field, z.value), false)
        FROM (SELECT DISTINCT r->>c.at AS value FROM jsonb_array_elements(v_rows) r) z;
    END IF;
  END LOOP;
  SELECT array_agg(a.attname::text ORDER BY a.attnum), string_agg(format('t.%I', a.attname), ', ' ORDER BY a.attnum)
    INTO v_columns, v_out FROM pg_attribute a
    WHERE a.attrelid = format('lineside.%I', e)::regclass AND a.attnum > 0 AND NOT a.attisdropped
      AND a.attname NOT IN ('id', 'version');
  EXECUTE format(
    'WITH t AS (INSERT INTO lineside.%1$I AS t (id, version%2$s)
       SELECT (z.id #>> ''{}'')::uuid, 1%3$s
       FROM ROWS FROM (jsonb_array_elements($1), jsonb_array_elements($2)) AS z(id, r) RETURNING t.*)
     SELECT array_agg(t.id), string_agg(''"'' || t.id || ''"'', '',''), string_agg(json_build_array(%4$s)::text, '','') FROM t',
    e, v_names, v_values, v_out) INTO p_new, v_id_text, v_row_text USING v_ids, v_rows;
  IF sync._may_be_unreadable(v_row_text) THEN
    EXECUTE format('SELECT count(sync._require_readable($1, to_jsonb(t))::text) FROM lineside.%I t WHERE t.id = ANY ($2)', e)
      USING e, p_new;
  END IF;
  p_logged := format('{"e": %s, "k": "m", "columns": %s, "ids": [%s], "rows": [%s]}',
                     to_json(e), to_json(v_columns), v_id_text, v_row_text);
END $$;

-- Raises when a column that says who did it names somebody else in one of p_rows.
CREATE OR REPLACE FUNCTION sync._require_own_name(
  p_who sync.author, p_others text[], p_entity text, p_field text, p_at integer, p_rows jsonb) RETURNS void
LANGUAGE plpgsql STABLE AS $$
DECLARE v_kind text;
BEGIN
  SELECT kind INTO v_kind FROM sync.actor_column WHERE entity = p_entity AND field = p_field;
  IF FOUND AND NOT p_who.brings AND EXISTS (
    SELECT FROM jsonb_array_elements(p_rows) r WHERE r->>p_at <> ALL (
      p_others || CASE v_kind WHEN 'id' THEN p_who.user_id::text ELSE p_who.name END)) THEN
    RAISE EXCEPTION 'Nobody can be named there but who did it: % of a %.', replace(p_field, '_', ' '),
      replace(p_entity, '_', ' ') USING ERRCODE = '42501';
  END IF;
END $$;

-- Deletes many rows of one table, or brings them back, as taking back an import does: their ids, and what the log says.
-- Null when anything is not as the author saw it or may: then row by row tells what.
CREATE OR REPLACE FUNCTION sync._delete_many(
  p_src uuid, p_who sync.author, p_undone jsonb, p_rows jsonb[], p_seq bigint, OUT p_ids uuid[], OUT p_logged text)
LANGUAGE plpgsql AS $$
DECLARE
  e text := p_rows[1]->>'e'; v_pair jsonb := p_rows[1]->'set'->'deleted'; v_new boolean := (v_pair->>1)::boolean;
  v_want jsonb := jsonb_build_object('deleted', v_new); v_as_seen bigint; v_back boolean;
BEGIN
  IF v_new IS NULL OR v_pair <> jsonb_build_array(NOT v_new, v_new)
     OR EXISTS (SELECT FROM unnest(p_rows) r WHERE r->'set'->'deleted' <> v_pair) THEN
    RETURN;
  END IF;
  -- As sync._takes_back; written out for new rows, of which an import has hundreds of thousands.
  v_back := p_undone IS NOT NULL AND NOT EXISTS (
    SELECT FROM unnest(p_rows) r WHERE NOT ((v_new AND p_undone ? ('c/' || e || '/' || (r->>'id')))
      OR sync._takes_back(p_undone, e, (r->>'id')::uuid, ARRAY['deleted'], v_want)));
  IF NOT p_who.brings AND sync._forbidden(p_who, e, ARRAY['deleted'], '{}', v_back) IS NOT NULL THEN
    RETURN;
  END IF;
  EXECUTE format(
    'SELECT count(DISTINCT t.id) FROM unnest($1) r JOIN lineside.%I t ON t.id = (r->>''id'')::uuid
     WHERE t.version = (r->>''v'')::bigint - 1 AND t.deleted <> $2', e) INTO v_as_seen USING p_rows, v_new;
  IF v_as_seen < cardinality(p_rows) THEN
    RETURN;
  END IF;
  EXECUTE format(
    'WITH t AS (UPDATE lineside.%I AS t SET version = t.version + 1, deleted = $2
       FROM unnest($1) r WHERE t.id = (r->>''id'')::uuid RETURNING t.id, t.version),
     l AS (INSERT INTO sync.log_row (entity, id, version, seq, src, fields)
       SELECT $3, t.id, t.version, $4, $5, ARRAY[''deleted''] FROM t)
     SELECT array_agg(t.id), string_agg(format(''{"e": "%%s", "id": "%%s", "k": "u", "v": %%s, "set": {"deleted": %%s}, '' ||
       ''"was": {"deleted": %%s}}'', $3, t.id, t.version, to_json($2), to_json(NOT $2)), '','') FROM t', e)
    INTO p_ids, p_logged USING p_rows, v_new, e, p_seq, p_src;
END $$;

-- The rows of an entry in their order; many that are deleted or brought back in a row together, all others one by one.
CREATE OR REPLACE FUNCTION sync._runs(p_rows jsonb) RETURNS SETOF jsonb[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF jsonb_array_length(p_rows) < 200 THEN
    RETURN QUERY SELECT ARRAY[r.value] FROM jsonb_array_elements(p_rows) WITH ORDINALITY r ORDER BY r.ordinality;
    RETURN;
  END IF;
  RETURN QUERY
    SELECT array_agg(y.value ORDER BY y.ordinality) FROM (
      SELECT x.*, x.ordinality - row_number() OVER (PARTITION BY x.alike ORDER BY x.ordinality) AS run FROM (
        SELECT r.value, r.ordinality,
          CASE WHEN r.value->>'k' = 'u' AND r.value->'set' ? 'deleted' AND (r.value->'set') - 'deleted' = '{}'
               THEN r.value->>'e' END AS alike
        FROM jsonb_array_elements(p_rows) WITH ORDINALITY r) x) y
    GROUP BY y.alike, y.run, CASE WHEN y.alike IS NULL THEN y.ordinality END ORDER BY min(y.ordinality);
END $$;

-- Disputes about new (or brought back) rows whose parent was deleted.
CREATE OR REPLACE FUNCTION sync._orphans(p_entity text, p_ids uuid[]) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE p record; v_bad jsonb := '[]'; v_more jsonb;
BEGIN
  FOR p IN SELECT field, parent FROM sync.parent WHERE entity = p_entity LOOP
    EXECUTE format(
      'SELECT jsonb_agg(sync._dispute($2, z.parent, ''deleted'', to_jsonb(false), to_jsonb(false), to_jsonb(true)))
       FROM (SELECT DISTINCT o.id AS parent FROM lineside.%I c JOIN lineside.%I o ON o.id = c.%I
             WHERE c.id = ANY ($1) AND o.deleted AND NOT c.deleted LIMIT 20) z', p_entity, p.parent, p.field)
      INTO v_more USING p_ids, p.parent;
    v_bad := v_bad || coalesce(v_more, '[]');
  END LOOP;
  RETURN v_bad;
END $$;

-- Disputes about rows that this entry deleted while living ones are part of them: whoever deleted knew nothing of those.
-- Each names the row that is part (with '' as the field) and, as by whoever made that, the deletion.
-- p_undone: what the entry takes back; a creation is not taken back either when rows that outlive a deletion came since.
CREATE OR REPLACE FUNCTION sync._bereaved(p_entity text, p_ids uuid[], p_undone jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE p record; v_ids uuid[] := p_ids; v_bad jsonb := '[]'; v_more jsonb;
BEGIN
  FOR p IN SELECT entity, field, outlives FROM sync.parent WHERE parent = p_entity ORDER BY outlives LOOP
    IF p.outlives THEN
      CONTINUE WHEN p_undone IS NULL;
      v_ids := ARRAY(SELECT i FROM unnest(p_ids) i WHERE p_undone ? ('c/' || p_entity || '/' || i));
    END IF;
    EXECUTE format(
      'SELECT jsonb_agg(d.child) || jsonb_agg(d.child || jsonb_build_object(
           ''e'', $3, ''id'', z.parent, ''field'', ''deleted'', ''base'', false, ''mine'', true, ''theirs'', false))
       FROM (SELECT c.id, c.%2$I AS parent FROM lineside.%1$I c WHERE c.%2$I = ANY ($1) AND NOT c.deleted LIMIT 20) z,
         LATERAL (SELECT sync._dispute($2, z.id, '''', NULL, NULL, to_jsonb(z.id)) AS child) d', p.entity, p.field)
      INTO v_more USING v_ids, p.entity, p_entity;
    v_bad := v_bad || coalesce(v_more, '[]');
  END LOOP;
  RETURN v_bad;
END $$;
