-- Bytes of photos and files. They are named by their SHA-256, come in chunks of 256 KiB in any order and as often as
-- the network makes necessary, and count only when the server has computed the hash over all of them itself.

CREATE OR REPLACE FUNCTION sync._blob_chunk_size() RETURNS integer
LANGUAGE sql IMMUTABLE AS 'SELECT 262144';

CREATE OR REPLACE FUNCTION sync._blob_chunks(p_size bigint) RETURNS integer
LANGUAGE sql IMMUTABLE AS 'SELECT ceil(p_size / 262144.0)::integer';

-- What stations have to know before they send: sizes in bytes, and the address of a store beside the database.
CREATE OR REPLACE FUNCTION sync.blob_terms() RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM sync._station();
  RETURN (SELECT jsonb_build_object('store_url', t.store_url, 'largest', t.largest, 'chunk', sync._blob_chunk_size())
          FROM sync.blob_terms t);
END $$;

-- Says that these bytes will come; safe to say again. Returns whether all of them are here already.
CREATE OR REPLACE FUNCTION sync.begin_blob(p_sha bytea, p_size bigint, p_mime text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE s sync.station := sync._station(); v sync.blob; t sync.blob_terms; v_used bigint;
BEGIN
  IF p_sha IS NULL OR octet_length(p_sha) <> 32 OR p_size IS NULL OR p_size <= 0 THEN
    RAISE EXCEPTION 'A file is named by 32 bytes of SHA-256 and has at least one byte.' USING ERRCODE = 'SY032';
  END IF;
  SELECT * INTO v FROM sync.blob b WHERE b.sha256 = p_sha;
  IF FOUND THEN
    IF v.size = p_size THEN
      RETURN v.complete;
    END IF;
    IF v.complete THEN
      RAISE EXCEPTION 'The server knows this file with % bytes, not %.', v.size, p_size USING ERRCODE = 'SY032';
    END IF;
    -- Nobody can tell yet who is right; whoever announced a wrong size must not keep the file out for ever.
  END IF;
  SELECT * INTO t FROM sync.blob_terms;
  IF p_size > t.largest THEN
    RAISE EXCEPTION 'The server takes files of at most %.', pg_size_pretty(t.largest) USING ERRCODE = 'SY030';
  END IF;
  -- One blob of a station begins at a time: two together could pass the quota where each alone does not.
  PERFORM 1 FROM sync.station x WHERE x.name = s.name FOR UPDATE;
  SELECT coalesce(sum(b.size), 0) INTO v_used FROM sync.blob b WHERE b.station = s.name AND b.sha256 <> p_sha;
  IF v_used + p_size > t.station_quota THEN
    RAISE EXCEPTION 'The photos and files of the station % fill their % on the server; an administrator can raise the quota or clean up.',
      s.name, pg_size_pretty(t.station_quota) USING ERRCODE = 'SY031';
  END IF;
  DELETE FROM sync.blob b WHERE b.sha256 = p_sha AND NOT b.complete AND b.size <> p_size;
  INSERT INTO sync.blob (sha256, size, mime, station) VALUES (p_sha, p_size, left(coalesce(p_mime, ''), 100), s.name)
    ON CONFLICT (sha256) DO NOTHING;
  RETURN false;
END $$;

-- The numbers (from 0) of the chunks that have not come yet.
CREATE OR REPLACE FUNCTION sync.blob_chunks_missing(p_sha bytea) RETURNS integer[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE v sync.blob;
BEGIN
  PERFORM sync._station();
  SELECT * INTO v FROM sync.blob b WHERE b.sha256 = p_sha;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'Nobody began to send this file.' USING ERRCODE = 'SY032';
  END IF;
  IF v.complete THEN
    RETURN '{}';
  END IF;
  RETURN ARRAY(
    SELECT i FROM generate_series(0, sync._blob_chunks(v.size) - 1) i
    WHERE NOT EXISTS (SELECT FROM sync.blob_chunk c WHERE c.sha256 = p_sha AND c.n = i) ORDER BY i);
END $$;

-- Takes chunk p_n (from 0); the same one again changes nothing.
CREATE OR REPLACE FUNCTION sync.put_blob(p_sha bytea, p_n integer, p_data bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE v sync.blob; v_due bigint;
BEGIN
  PERFORM sync._station();
  SELECT * INTO v FROM sync.blob b WHERE b.sha256 = p_sha FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'Nobody began to send this file.' USING ERRCODE = 'SY032';
  END IF;
  IF v.complete THEN
    RETURN;
  END IF;
  v_due := least(sync._blob_chunk_size(), v.size - p_n::bigint * sync._blob_chunk_size());
  IF p_n IS NULL OR p_n < 0 OR v_due <= 0 OR p_data IS NULL OR octet_length(p_data) <> v_due THEN
    RAISE EXCEPTION 'This is no chunk of a file of % bytes.', v.size USING ERRCODE = 'SY033';
  END IF;
  INSERT INTO sync.blob_chunk (sha256, n, data) VALUES (p_sha, p_n, p_data) ON CONFLICT DO NOTHING;
END $$;

-- Every row that speaks of these bytes learns where they are: one record in the log, so every station does too.
CREATE OR REPLACE FUNCTION sync._blob_settled(p_sha bytea, p_stored boolean, p_label text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE v_rows jsonb;
BEGIN
  WITH moved AS (
    UPDATE lineside.attachment a SET stored = p_stored, version = a.version + 1
    WHERE a.sha256 = encode(p_sha, 'hex') AND a.stored <> p_stored
    RETURNING a.id, a.version)
  SELECT jsonb_agg(jsonb_build_object(
      'e', 'attachment', 'id', m.id, 'k', 'u', 'v', m.version,
      'set', jsonb_build_object('stored', p_stored), 'was', jsonb_build_object('stored', NOT p_stored)) ORDER BY m.id)
    INTO v_rows FROM moved m;
  IF v_rows IS NOT NULL THEN
    PERFORM sync._log_own('store_file', p_label, v_rows);
  END IF;
END $$;

-- All chunks came, or (p_external) the bytes lie in the store beside the database, where the station read them back.
-- Returns {"complete": bool, "why": text}: an error would take back that wrong chunks were thrown away.
CREATE OR REPLACE FUNCTION sync.finish_blob(p_sha bytea, p_external boolean DEFAULT false) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE s sync.station := sync._station(); v sync.blob; v_hash bytea;
BEGIN
  SELECT * INTO v FROM sync.blob b WHERE b.sha256 = p_sha FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'Nobody began to send this file.' USING ERRCODE = 'SY032';
  END IF;
  IF NOT v.complete THEN
    IF p_external THEN
      IF (SELECT t.store_url FROM sync.blob_terms t) = '' THEN
        RETURN jsonb_build_object('complete', false, 'why', 'no store');
      END IF;
      DELETE FROM sync.blob_chunk c WHERE c.sha256 = p_sha;  -- of a try before the store was named
    ELSE
      IF (SELECT count(*) FROM sync.blob_chunk c WHERE c.sha256 = p_sha) < sync._blob_chunks(v.size) THEN
        RETURN jsonb_build_object('complete', false, 'why', 'missing');
      END IF;
      -- Before the feed lock: nobody's change waits while 50 MB are hashed.
      SELECT sha256(string_agg(c.data, ''::bytea ORDER BY c.n)) INTO v_hash
        FROM sync.blob_chunk c WHERE c.sha256 = p_sha;
      IF v_hash IS DISTINCT FROM p_sha THEN
        DELETE FROM sync.blob_chunk c WHERE c.sha256 = p_sha;
        RETURN jsonb_build_object('complete', false, 'why', 'wrong');
      END IF;
    END IF;
  END IF;
  PERFORM sync._lock_feed();
  UPDATE sync.blob b SET complete = true, external = p_external WHERE b.sha256 = p_sha AND NOT b.complete;
  PERFORM sync._blob_settled(p_sha, true, 'A file reached the server from ' || s.name);
  RETURN jsonb_build_object('complete', true, 'why', '');
END $$;

-- {"size", "mime", "external"} of complete bytes, null when the server does not have them. What lies in a store is
-- found also while it is in doubt: whoever looks after the store may have put it right, and a reader proves that.
CREATE OR REPLACE FUNCTION sync.find_blob(p_sha bytea) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM sync._station();
  RETURN (SELECT jsonb_build_object('size', b.size, 'mime', b.mime, 'external', b.external)
          FROM sync.blob b WHERE b.sha256 = p_sha AND (b.complete OR b.external));
END $$;

-- One chunk of complete bytes, null where there is none.
CREATE OR REPLACE FUNCTION sync.get_blob_chunk(p_sha bytea, p_n integer) RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM sync._station();
  RETURN (SELECT c.data FROM sync.blob b JOIN sync.blob_chunk c USING (sha256)
          WHERE b.sha256 = p_sha AND b.complete AND c.n = p_n);
END $$;

-- A station downloaded bytes that are not what their name says (a broken disk, a hand in the store): the server looks
-- at its own chunks again, and says to all stations if it lost them. Whoever has them sends them again. It cannot look
-- into a store beside the database; there the station's word counts, as it does when bytes arrive there. A false alarm
-- costs the stations that have them one look: what is sound there is read, not sent.
CREATE OR REPLACE FUNCTION sync.doubt_blob(p_sha bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE v sync.blob; v_hash bytea;
BEGIN
  PERFORM sync._station();
  SELECT * INTO v FROM sync.blob b WHERE b.sha256 = p_sha FOR UPDATE;
  IF NOT FOUND OR NOT v.complete THEN
    RETURN false;
  END IF;
  IF v.external THEN
    PERFORM sync._lock_feed();
    UPDATE sync.blob b SET complete = false WHERE b.sha256 = p_sha;
    PERFORM sync._blob_settled(p_sha, false, 'A file was damaged in the store');
    RETURN true;
  END IF;
  SELECT sha256(string_agg(c.data, ''::bytea ORDER BY c.n)) INTO v_hash FROM sync.blob_chunk c WHERE c.sha256 = p_sha;
  IF v_hash IS NOT DISTINCT FROM p_sha THEN
    RETURN false;
  END IF;
  PERFORM sync._lock_feed();
  DELETE FROM sync.blob_chunk c WHERE c.sha256 = p_sha;
  UPDATE sync.blob b SET complete = false WHERE b.sha256 = p_sha;
  PERFORM sync._blob_settled(p_sha, false, 'A file was damaged on the server');
  RETURN true;
END $$;

-- Whether bytes have to stay: a living row speaks of them, or one that was removed after p_before (an undo is near).
CREATE OR REPLACE FUNCTION sync._blob_is_needed(p_sha bytea, p_before timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM lineside.attachment a WHERE a.sha256 = encode(p_sha, 'hex') AND (
      NOT a.deleted OR EXISTS (
        SELECT FROM sync.log_row r JOIN sync.log l USING (seq)
        WHERE r.entity = 'attachment' AND r.id = a.id AND l.at >= p_before)))
$$;

-- Removes up to p_most of what nothing speaks of and nobody began to send within p_older; for the owner of the
-- database, again and again until nothing is left: changes of stations wait meanwhile. Returns what went: sha256 in hex,
-- size, and whether the bytes lie in the store beside the database and have to be removed there.
CREATE OR REPLACE FUNCTION sync.remove_orphan_blobs(p_older interval DEFAULT '30 days', p_most integer DEFAULT 20)
RETURNS TABLE (sha256 text, size bigint, external boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE v sync.blob; v_before timestamptz := clock_timestamp() - p_older;
BEGIN
  PERFORM sync._lock_feed();  -- no entry can begin to speak of one meanwhile
  FOR v IN SELECT b.* FROM sync.blob b
    WHERE b.begun_at < v_before AND NOT sync._blob_is_needed(b.sha256, v_before) ORDER BY b.begun_at
    LIMIT p_most FOR UPDATE SKIP LOCKED  -- whoever finishes one right now waits for the feed lock with it in hand
  LOOP
    DELETE FROM sync.blob b WHERE b.sha256 = v.sha256;
    PERFORM sync._blob_settled(v.sha256, false, 'A file that nothing speaks of was removed from the server');
    sha256 := encode(v.sha256, 'hex');
    size := v.size;
    external := v.external;
    RETURN NEXT;
  END LOOP;
END $$;

-- A new row about bytes that are here already says so from the start, whatever its author said.
CREATE OR REPLACE FUNCTION sync._attachment_arrives() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  -- A name has no folder in it, no line break, and nothing that turns the direction of reading around.
  IF NEW.sha256 !~ '^[0-9a-f]{64}$' OR NEW.size <= 0 OR length(NEW.name) > 200
     OR NEW.name ~ E'[\\x01-\\x1f\\x7f-\\x9f/\\\\\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]'
     OR length(NEW.thumbnail) > 24000 OR length(NEW.thumbnail) % 4 <> 0 OR NEW.thumbnail !~ '^[A-Za-z0-9+/]*={0,2}$'
     OR NEW.owner NOT IN ('issue', 'inspection', 'maintenance_order', 'work_order') THEN
    RAISE EXCEPTION 'This is no photo or file as Lineside knows them.' USING ERRCODE = '23514';
  END IF;
  NEW.stored := EXISTS (SELECT FROM sync.blob b WHERE b.sha256 = decode(NEW.sha256, 'hex') AND b.complete);
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER attachment_arrives BEFORE INSERT ON lineside.attachment
  FOR EACH ROW EXECUTE FUNCTION sync._attachment_arrives();

REVOKE ALL ON FUNCTION sync._blob_chunk_size() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync._blob_chunks(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync._blob_settled(bytea, boolean, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync._blob_is_needed(bytea, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync._attachment_arrives() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.remove_orphan_blobs(interval, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.blob_terms() FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.begin_blob(bytea, bigint, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.blob_chunks_missing(bytea) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.put_blob(bytea, integer, bytea) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.finish_blob(bytea, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.find_blob(bytea) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.get_blob_chunk(bytea, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION sync.doubt_blob(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sync.blob_terms() TO @station@;
GRANT EXECUTE ON FUNCTION sync.begin_blob(bytea, bigint, text) TO @station@;
GRANT EXECUTE ON FUNCTION sync.blob_chunks_missing(bytea) TO @station@;
GRANT EXECUTE ON FUNCTION sync.put_blob(bytea, integer, bytea) TO @station@;
GRANT EXECUTE ON FUNCTION sync.finish_blob(bytea, boolean) TO @station@;
GRANT EXECUTE ON FUNCTION sync.find_blob(bytea) TO @station@;
GRANT EXECUTE ON FUNCTION sync.get_blob_chunk(bytea, integer) TO @station@;
GRANT EXECUTE ON FUNCTION sync.doubt_blob(bytea) TO @station@;
