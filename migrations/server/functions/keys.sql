-- HMAC-SHA256 (RFC 2104) with the sha256() that is built in, so that no extension is needed.

CREATE OR REPLACE FUNCTION sync._pad(p_secret bytea, p_mask integer) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  k bytea := CASE WHEN length(p_secret) > 64 THEN sha256(p_secret) ELSE p_secret END;
  padded bytea := decode(repeat(lpad(to_hex(p_mask), 2, '0'), 64), 'hex');
BEGIN
  FOR i IN 0 .. length(k) - 1 LOOP
    padded := set_byte(padded, i, get_byte(k, i) # p_mask);
  END LOOP;
  RETURN padded;
END $$;

CREATE OR REPLACE FUNCTION sync._inner_key(p_secret bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE AS 'SELECT sync._pad(p_secret, 54)';

CREATE OR REPLACE FUNCTION sync._outer_key(p_secret bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE AS 'SELECT sync._pad(p_secret, 92)';

CREATE OR REPLACE FUNCTION sync._mac(p_inner bytea, p_outer bytea, p_text text) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT encode(sha256(p_outer || sha256(p_inner || convert_to(p_text, 'UTF8'))), 'hex')
$$;

-- 256 random bits out of the server's strong random numbers.
CREATE OR REPLACE FUNCTION sync._random_key() RETURNS bytea
LANGUAGE sql VOLATILE AS $$
  SELECT sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'))
$$;

-- The secret with which a person signs on a station. It follows from the server's own key, so that a server that was
-- restored from a backup still knows what it gave out afterwards; a raised generation of the station makes the old one
-- worthless, and every new password (whose terms hold a new salt) brings a new one.
CREATE OR REPLACE FUNCTION sync._grant_secret(p_user uuid, p_station text, p_generation integer) RETURNS bytea
LANGUAGE sql STABLE AS $$
  SELECT decode(sync._mac(sync._inner_key(grant_key), sync._outer_key(grant_key),
                          'grant:' || p_user || ':' || p_station || ':' || p_generation
                          || coalesce(':' || (SELECT terms FROM sync.credential WHERE user_id = p_user), '')), 'hex')
  FROM sync.server
$$;
