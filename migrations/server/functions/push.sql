-- What a station offers: exactly once by (source, n), the whole entry or nothing, and a verdict for every entry.

-- Whether every station can read the text p_body, which is p_entry, as it will stand in the log: one record that they
-- cannot would stop them all. PostgreSQL writes 1e9000 with all its digits, and nests thousands deep.
CREATE OR REPLACE FUNCTION sync._is_plain(p_body text, p_entry jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF jsonb_path_exists(p_entry, '$.**{100}') THEN
    RETURN false;
  ELSIF p_body ~ '[eE][+]?[0-9]{3}|[0-9]{255}' THEN  -- dear for an import, so only where it may be
    RETURN NOT jsonb_path_exists(p_entry,
      '$.** ? (@.type() == "number" && (@ > 1.7976931348623157e308 || @ < -1.7976931348623157e308))');
  END IF;
  RETURN true;
END $$;

CREATE OR REPLACE FUNCTION sync._sentence(p_state text, p_message text, p_rule text, p_table text, p_column text) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN p_state LIKE 'SY%' OR p_state = '42501' THEN p_message
    WHEN p_state = '23505' THEN coalesce(
      (SELECT sentence FROM sync.taken WHERE rule = p_rule),
      'The same ' || replace(p_table, '_', ' ') || ' exists already.')
    WHEN p_state = '23503' THEN 'This ' || replace(p_table, '_', ' ')
      || ' belongs to something that the server does not have; an earlier entry was probably not applied.'
    WHEN p_state = '23502' THEN 'Something that is needed was left empty: '
      || replace(p_column, '_', ' ') || ' of a ' || replace(p_table, '_', ' ') || '.'
    WHEN p_state LIKE '22%' THEN 'The entry holds something that the server cannot read as what it should be.'
    WHEN p_state LIKE '54%' THEN 'The entry is too large or too deeply nested for the server.'
    ELSE 'The server could not apply the entry (' || p_message || ').'
  END
$$;

CREATE OR REPLACE FUNCTION sync._dispute_sentence(p_bad jsonb) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN EXISTS (SELECT FROM jsonb_array_elements(p_bad) d WHERE d->>'field' = '' AND d->'theirs' = 'null')
      THEN 'The server does not have what this changes.'
    WHEN EXISTS (SELECT FROM jsonb_array_elements(p_bad) d
                 WHERE d->>'field' = '' AND d->'mine' = 'null' AND d->>'theirs' = d->>'id')
      THEN 'Somebody added something to this meanwhile, so it stays.'
    WHEN EXISTS (SELECT FROM jsonb_array_elements(p_bad) d WHERE d->>'field' = 'deleted' AND d->'theirs' = 'true')
      THEN 'Somebody deleted this meanwhile.'
    WHEN NOT EXISTS (SELECT FROM jsonb_array_elements(p_bad) d WHERE d->'base' <> d->'theirs')
      THEN 'This step is not allowed from where it stands.'
    ELSE 'Somebody changed the same meanwhile.' END
$$;

-- Applies all rows of an entry. p_rows is what the log says of them (JSON, without the brackets); disputes, if there
-- are any, stand in p_bad; raises whatever else stands against it.
CREATE OR REPLACE FUNCTION sync._apply(
  p_src uuid, p_who sync.author, p_entry jsonb, p_seq bigint, OUT p_rows text, OUT p_merged jsonb, OUT p_bad jsonb)
LANGUAGE plpgsql AS $$
DECLARE
  r jsonb; v_run jsonb[]; x jsonb; v_logged text[] := '{}'; v_text text; v_undone jsonb; v_others text[] := '{}';
  v_born_in text[] := '{}'; v_born uuid[] := '{}'; v_gone_from text[] := '{}'; v_gone uuid[] := '{}'; v_entity text; v_ids uuid[];
BEGIN
  p_merged := '[]';
  p_bad := '[]';
  SET CONSTRAINTS ALL DEFERRED;  -- the rows of an entry refer to each other in any order
  IF p_entry ? 'undoes' AND NOT p_who.brings THEN
    v_undone := sync._undone(p_who, (p_entry->>'undoes')::uuid);
  END IF;
  IF p_entry ? 'resolves' THEN
    v_others := sync._settled_people(p_entry->'resolves');
  END IF;
  FOR v_run IN SELECT sync._runs(p_entry->'rows') LOOP
    v_entity := v_run[1]->>'e';
    IF NOT EXISTS (SELECT FROM sync.entity WHERE name = v_entity) THEN
      RAISE EXCEPTION 'The server shares no table %.', v_entity USING ERRCODE = 'SY011';
    END IF;
    IF cardinality(v_run) > 1 THEN
      SELECT m.p_ids, m.p_logged INTO v_ids, v_text FROM sync._delete_many(p_src, p_who, v_undone, v_run, p_seq) m;
      IF v_ids IS NOT NULL THEN
        v_logged := array_append(v_logged, v_text);
        p_bad := p_bad || sync._orphans(v_entity, v_ids);
        IF v_run[1]->'set'->'deleted'->>1 = 'true' THEN
          v_gone_from := v_gone_from || array_fill(v_entity, ARRAY[cardinality(v_ids)]);
          v_gone := v_gone || v_ids;
        END IF;
        CONTINUE;
      END IF;
    END IF;
    FOREACH r IN ARRAY v_run LOOP
      IF r->>'k' = 'm' THEN
        SELECT m.p_new, m.p_logged INTO v_ids, v_text FROM sync._create_many(p_who, v_others, r) m;
        v_logged := array_append(v_logged, v_text);
        p_bad := p_bad || sync._orphans(v_entity, v_ids);
        CONTINUE;
      END IF;
      x := CASE r->>'k' WHEN 'u' THEN sync._change(p_src, p_who, v_others, v_undone, r)
                        WHEN 'c' THEN sync._create(p_who, v_others, r) END;
      IF x IS NULL THEN
        RAISE EXCEPTION 'The server does not know what % does to a row.', r->>'k' USING ERRCODE = 'SY011';
      END IF;
      p_bad := p_bad || coalesce(x->'bad', '[]');
      p_merged := p_merged || coalesce(x->'merged', '[]');
      x := x->'row';
      CONTINUE WHEN x IS NULL;
      v_logged := array_append(v_logged, x::text);
      INSERT INTO sync.log_row (entity, id, version, seq, src, fields)
        VALUES (v_entity, (x->>'id')::uuid, (x->>'v')::bigint, p_seq, p_src, ARRAY(SELECT jsonb_object_keys(x->'set')));
      IF r->>'k' = 'c' OR x->'set'->>'deleted' = 'false' THEN
        v_born_in := array_append(v_born_in, v_entity);
        v_born := array_append(v_born, (x->>'id')::uuid);
      ELSIF x->'set'->>'deleted' = 'true' THEN
        v_gone_from := array_append(v_gone_from, v_entity);
        v_gone := array_append(v_gone, (x->>'id')::uuid);
      END IF;
    END LOOP;
  END LOOP;
  FOR v_entity, v_ids IN SELECT e, array_agg(i) FROM unnest(v_born_in, v_born) z(e, i) GROUP BY e LOOP
    p_bad := p_bad || sync._orphans(v_entity, v_ids);
  END LOOP;
  IF NOT p_who.brings THEN
    FOR v_entity, v_ids IN SELECT e, array_agg(i) FROM unnest(v_gone_from, v_gone) z(e, i) GROUP BY e LOOP
      p_bad := p_bad || sync._bereaved(v_entity, v_ids, v_undone);
    END LOOP;
  END IF;
  IF p_bad = '[]' AND NOT p_who.brings THEN
    p_bad := sync._torn(p_entry->'rows');
  END IF;
  IF p_bad = '[]' THEN
    SET CONSTRAINTS ALL IMMEDIATE;
    p_rows := array_to_string(v_logged, ', ');
  END IF;
END $$;

-- Marks the parked entries that this one settles as settled by p_seq, and tells which those were.
CREATE OR REPLACE FUNCTION sync._settle(p_who sync.author, p_resolves jsonb, p_seq bigint) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE v record; v_settled jsonb := '[]';
BEGIN
  FOR v IN SELECT t.src, t.n, t.actor_id, t.settled_seq FROM jsonb_array_elements(p_resolves) z
           JOIN sync.txn t ON t.src = (z->>0)::uuid AND t.n = (z->>1)::bigint
           WHERE t.verdict <> 'applied' AND t.settled_seq IS NULL LOOP
    IF NOT p_who.brings AND v.actor_id IS DISTINCT FROM p_who.user_id
       AND sync._forbidden(p_who, 'conflict', ARRAY['settled'], '{}', false) IS NOT NULL THEN
      RAISE EXCEPTION 'The role % may settle only conflicts about entries of their own.', p_who.role USING ERRCODE = '42501';
    END IF;
    UPDATE sync.txn SET settled_seq = p_seq WHERE src = v.src AND n = v.n;
    v_settled := v_settled || jsonb_build_array(jsonb_build_array(v.src, v.n));
  END LOOP;
  RETURN v_settled;
END $$;

-- What every record says of its entry; j is the entry, null when it is no JSON. The digest of the text that was signed
-- and its signature (what can be none is left out) stand in the chain: whoever has the text proves with them who wrote it.
CREATE OR REPLACE FUNCTION sync._head(
  p_station text, p_src uuid, p_n bigint, p_digest bytea, p_mac text, p_who sync.author, j jsonb) RETURNS jsonb
LANGUAGE sql STABLE AS $$
  SELECT jsonb_strip_nulls(jsonb_build_object(
    'src', p_src, 'n', p_n, 'station', p_station, 'change', j->'change', 'undoes', j->'undoes', 'said_at', j->'at',
    'schema', coalesce(j->'schema', '0'), 'digest', encode(p_digest, 'hex'),
    'mac', CASE WHEN p_mac ~ '^[0-9a-f]{64}$' THEN p_mac END))
  || jsonb_build_object(
    'actor_id', coalesce(to_jsonb(p_who.user_id), j->'actor_id'), 'actor', coalesce(p_who.name, j->>'actor', ''),
    'operation', coalesce(j->>'operation', ''), 'label', coalesce(j->>'label', j->>'operation', ''))
$$;

-- One entry; the caller holds the feed lock and knows that (p_src, p_n) is the next one.
CREATE OR REPLACE FUNCTION sync._take(p_station sync.station, p_src uuid, p_n bigint, p_body text, p_mac text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  d bytea := sha256(convert_to(p_body, 'UTF8')); v_seq bigint; v_verdict text := 'applied'; j jsonb; v_reason jsonb;
  v_rows text; v_merged jsonb := '[]'; v_bad jsonb := '[]';
  v_who sync.author; v_change uuid; v_before sync.txn; v_settled jsonb; v_record jsonb;
  v_state text; v_message text; v_rule text; v_table text; v_column text;
BEGIN
  BEGIN
    j := p_body::jsonb;  -- in here: what PostgreSQL cannot read gets a verdict, it must not block the queue
    IF NOT sync._is_plain(p_body, j) THEN
      j := NULL;
      RAISE EXCEPTION 'The entry is too deeply nested, or has a number that no station could read.' USING ERRCODE = 'SY011';
    END IF;
    IF jsonb_typeof(j) <> 'object' OR jsonb_typeof(j->'rows') IS DISTINCT FROM 'array' OR j->>'change' IS NULL THEN
      RAISE EXCEPTION 'This is no entry of Lineside.' USING ERRCODE = 'SY011';
    END IF;
    v_change := (j->>'change')::uuid;
    SELECT * INTO v_before FROM sync.txn WHERE change_id = v_change;
    IF FOUND AND v_before.digest = d THEN  -- offered again, under another source
      RETURN sync._offered_again(p_src, p_n, v_before, p_mac);
    ELSIF FOUND THEN
      v_change := NULL;
      RAISE EXCEPTION 'Another entry with the same id was offered before.' USING ERRCODE = 'SY011';
    END IF;
    v_who := sync._author_of(p_station, (j->>'actor_id')::uuid, j->>'actor', p_body, p_mac);
    PERFORM sync._require_fresh(v_who, p_station.name, j->'rows', p_body, p_mac);
    v_seq := sync._next_seq();
    SELECT a.p_rows, a.p_merged, a.p_bad INTO v_rows, v_merged, v_bad FROM sync._apply(p_src, v_who, j, v_seq) a;
    IF v_bad <> '[]' THEN
      RAISE EXCEPTION '%', sync._dispute_sentence(v_bad) USING ERRCODE = 'SY010';
    END IF;
    IF j ? 'resolves' THEN
      v_settled := sync._settle(v_who, j->'resolves', v_seq);
    END IF;
    v_record := sync._head(p_station.name, p_src, p_n, d, p_mac, v_who, j) || '{"k": "applied"}';
    IF v_settled <> '[]' THEN
      v_record := v_record || jsonb_build_object('resolves', v_settled);
    END IF;
    IF v_merged <> '[]' THEN
      v_record := v_record || jsonb_build_object('merged', v_merged);
    END IF;
  EXCEPTION WHEN OTHERS THEN
    IF SQLSTATE ~ '^(08|25|40|53|55|57|58|F0|XX)' THEN
      RAISE;  -- trouble of the server: to be tried again, never a verdict
    END IF;
    GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT, v_rule = CONSTRAINT_NAME,
      v_table = TABLE_NAME, v_column = COLUMN_NAME;
    v_verdict := CASE v_state WHEN 'SY010' THEN 'conflict' WHEN '42501' THEN 'denied' ELSE 'rejected' END;
    v_reason := jsonb_build_object('state', v_state, 'fields', v_bad,
      'sentence', sync._sentence(v_state, v_message, v_rule, v_table, v_column));
    v_record := sync._head(p_station.name, p_src, p_n, d, p_mac, v_who, CASE WHEN jsonb_typeof(j) = 'object' THEN j END)
      || jsonb_build_object('k', 'parked', 'verdict', v_verdict, 'reason', v_reason)
      || CASE WHEN j IS NULL THEN jsonb_build_object('raw', left(p_body, 10000)) ELSE jsonb_build_object('entry', j) END;
    v_rows := NULL;
    v_merged := '[]';
  END;
  v_seq := sync._log(v_record, v_rows);
  INSERT INTO sync.txn (src, n, change_id, digest, actor_id, actor, verdict, seq, detail, body, mac)
    VALUES (p_src, p_n, v_change, d, v_who.user_id, v_record->>'actor', v_verdict, v_seq,
            coalesce(v_reason, jsonb_build_object('merged', v_merged)),
            CASE WHEN v_verdict <> 'applied' THEN p_body ELSE '' END, left(p_mac, 64));
  UPDATE sync.source SET last_n = p_n WHERE src = p_src;
  RETURN jsonb_build_object('verdict', v_verdict, 'seq', v_seq, 'reason', v_reason,
    'merged', nullif(v_merged, '[]'), 'replay', false);
END $$;

-- An entry that is here already under another source: the same verdict, and nothing new in the log.
CREATE OR REPLACE FUNCTION sync._offered_again(p_src uuid, p_n bigint, p_before sync.txn, p_mac text) RETURNS jsonb
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO sync.txn (src, n, change_id, digest, actor_id, actor, verdict, seq, detail, body, mac, settled_seq)
    VALUES (p_src, p_n, NULL, p_before.digest, p_before.actor_id, p_before.actor, p_before.verdict, p_before.seq,
            p_before.detail, '', left(p_mac, 64), coalesce(p_before.settled_seq, p_before.seq));
  UPDATE sync.source SET last_n = p_n WHERE src = p_src;
  RETURN sync._answer(p_before);
END $$;

CREATE OR REPLACE FUNCTION sync._answer(p_known sync.txn) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
  SELECT jsonb_build_object('verdict', p_known.verdict, 'seq', p_known.seq,
    'reason', CASE WHEN p_known.verdict <> 'applied' THEN p_known.detail END,
    'merged', CASE WHEN p_known.verdict = 'applied' THEN nullif(p_known.detail->'merged', '[]') END, 'replay', true)
$$;

CREATE OR REPLACE FUNCTION sync.push_many(p_src uuid, p_first_n bigint, p_bodies text[], p_macs text[]) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO'
SET extra_float_digits = 1 SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  s sync.station; v_last bigint; v_known sync.txn; v_answers jsonb[] := '{}'; v_n bigint := p_first_n;
BEGIN
  IF coalesce(cardinality(p_bodies), 0) NOT BETWEEN 1 AND 50 OR cardinality(p_bodies) <> cardinality(p_macs) THEN
    RAISE EXCEPTION 'Between 1 and 50 entries, each with its signature.' USING ERRCODE = 'SY011';
  END IF;
  PERFORM sync._lock_feed();
  s := sync._station();
  SELECT last_n INTO v_last FROM sync.source WHERE src = p_src AND station = s.name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'unknown source %', p_src USING ERRCODE = 'SY001';
  ELSIF p_first_n < 1 OR p_first_n > v_last + 1 THEN
    RAISE EXCEPTION 'gap: the last entry of this source is %', v_last USING ERRCODE = 'SY003', DETAIL = v_last::text;
  END IF;
  FOR i IN 1 .. cardinality(p_bodies) LOOP
    IF v_n <= v_last THEN
      SELECT * INTO v_known FROM sync.txn WHERE src = p_src AND n = v_n;
      IF v_known.digest IS DISTINCT FROM sha256(convert_to(p_bodies[i], 'UTF8')) THEN
        RAISE EXCEPTION 'forked: another entry % came from this source', v_n USING ERRCODE = 'SY002', DETAIL = v_n::text;
      END IF;
      v_answers := array_append(v_answers, sync._answer(v_known));
    ELSE
      v_answers := array_append(v_answers, sync._take(s, p_src, v_n, p_bodies[i], p_macs[i]));
    END IF;
    v_n := v_n + 1;
  END LOOP;
  RETURN to_jsonb(v_answers);
END $$;

CREATE OR REPLACE FUNCTION sync.push(p_src uuid, p_n bigint, p_body text, p_mac text) RETURNS jsonb
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT sync.push_many(p_src, p_n, ARRAY[p_body], ARRAY[p_mac])->0
$$;

GRANT EXECUTE ON FUNCTION sync.push_many(uuid, bigint, text[], text[]) TO @station@;
GRANT EXECUTE ON FUNCTION sync.push(uuid, bigint, text, text) TO @station@;
