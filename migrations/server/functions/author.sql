-- In whose name an entry is accepted: a grant of that person on this station whose secret made the signature.

CREATE OR REPLACE FUNCTION sync._may(p_role text, p_permission text) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM sync.role_permission WHERE role = p_role AND permission = p_permission)
$$;

CREATE OR REPLACE FUNCTION sync._account(p_user uuid) RETURNS sync.author
LANGUAGE plpgsql STABLE AS $$
DECLARE a record;
BEGIN
  SELECT id, name, role, disabled, deleted INTO a FROM lineside.user_account WHERE id = p_user;
  IF NOT FOUND OR a.deleted OR a.disabled THEN
    RAISE EXCEPTION 'The account % is disabled; ask an administrator.', coalesce(a.name, p_user::text) USING ERRCODE = '42501';
  END IF;
  RETURN ROW(a.id, a.name, a.role, false)::sync.author;
END $$;

-- Which of the secrets that p_user got when logging in on p_station made p_mac over p_text: 1 the newest, 2 and on one
-- from before a new password (a row holds them one after the other, the newest first), 0 none.
CREATE OR REPLACE FUNCTION sync._key_used(p_user uuid, p_station text, p_text text, p_mac text) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE g sync.login_grant; v_secret bytea; v_used integer := 0;
BEGIN
  SELECT * INTO g FROM sync.login_grant WHERE user_id = p_user AND station = p_station;
  IF NOT FOUND THEN  -- the server may have been restored to a time before the login: its own key tells
    v_secret := sync._grant_secret(p_user, p_station, (SELECT generation FROM sync.station WHERE name = p_station));
    IF sync._mac(sync._inner_key(v_secret), sync._outer_key(v_secret), p_text) IS DISTINCT FROM lower(p_mac)
       OR NOT EXISTS (SELECT FROM lineside.user_account WHERE id = p_user) THEN
      RETURN 0;
    END IF;
    INSERT INTO sync.login_grant (user_id, station, secret, key_inner, key_outer, until)
      VALUES (p_user, p_station, v_secret, sync._inner_key(v_secret), sync._outer_key(v_secret), clock_timestamp())
      ON CONFLICT DO NOTHING;  -- another call of this station may have been quicker
    RETURN 1;
  END IF;
  FOR i IN 1 .. length(g.secret) / 32 LOOP
    IF sync._mac(substr(g.key_inner, i * 64 - 63, 64), substr(g.key_outer, i * 64 - 63, 64), p_text) = lower(p_mac) THEN
      v_used := i;
      EXIT;
    END IF;
  END LOOP;
  IF v_used > 0 AND clock_timestamp() > g.until + make_interval(days => (SELECT reserve_days FROM sync.server)) THEN
    RAISE EXCEPTION 'The login of this person on the station % expired; log in again while the server can be reached.',
      p_station USING ERRCODE = '42501';
  END IF;
  RETURN v_used;
END $$;

-- Whether p_mac over p_text was made with what p_user got when logging in on p_station.
CREATE OR REPLACE FUNCTION sync._signed_by(p_user uuid, p_station text, p_text text, p_mac text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  RETURN sync._key_used(p_user, p_station, p_text, p_mac) > 0;
END $$;

-- The same, with the password that counts now. Changes that were written before a new password are taken all the same,
-- until the station says that it has none left; what gives more than it had (a password, more time) is not.
CREATE OR REPLACE FUNCTION sync._signed_now(p_user uuid, p_station text, p_text text, p_mac text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  RETURN sync._key_used(p_user, p_station, p_text, p_mac) = 1 AND sync._is_current(p_user, p_station);
END $$;

-- Whether the newest login of p_user on p_station was with the password that counts now.
CREATE OR REPLACE FUNCTION sync._is_current(p_user uuid, p_station text) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM sync.login_grant g JOIN sync.station s ON s.name = g.station
    LEFT JOIN sync.credential c ON c.user_id = g.user_id
    WHERE g.user_id = p_user AND g.station = p_station
      AND (c.changed_at IS NULL OR g.logged_in_at >= c.changed_at
           OR substr(g.secret, 1, 32) = sync._grant_secret(p_user, p_station, s.generation)));
END $$;

CREATE OR REPLACE FUNCTION sync._author_of(p_station sync.station, p_user uuid, p_name text, p_text text, p_mac text)
RETURNS sync.author LANGUAGE plpgsql AS $$
BEGIN
  IF p_user IS NOT NULL AND sync._signed_by(p_user, p_station.name, p_text, p_mac) THEN
    RETURN sync._account(p_user);
  END IF;
  IF sync._mac(p_station.key_inner, p_station.key_outer, p_text) = lower(p_mac) THEN
    IF p_station.may_bring THEN
      RETURN ROW(p_user, coalesce(p_name, ''), 'plant', true)::sync.author;
    ELSIF p_user IS NULL THEN
      RETURN ROW(NULL, 'Lineside', 'plant', false)::sync.author;
    END IF;
  END IF;
  RAISE EXCEPTION 'The signature is not one of % on the station %; that person has to log in there while the server can be reached.',
    coalesce(p_name, 'this person'), p_station.name USING ERRCODE = '42501';
END $$;

-- Raises when the owner of the server wants a newer login for a table that p_rows write to. What counts is when the
-- entry arrives: how old it is already, only the station's clock knows.
DROP FUNCTION IF EXISTS sync._require_fresh(sync.author, text, jsonb);
CREATE OR REPLACE FUNCTION sync._require_fresh(p_who sync.author, p_station text, p_rows jsonb, p_text text, p_mac text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE v record;
BEGIN
  IF p_who.brings OR NOT EXISTS (SELECT FROM sync.fresh) THEN
    RETURN;
  END IF;
  SELECT f.entity, f.hours INTO v FROM sync.fresh f
    WHERE EXISTS (SELECT FROM jsonb_array_elements(p_rows) r WHERE r->>'e' = f.entity)
      AND NOT EXISTS (SELECT FROM sync.login_grant g WHERE g.user_id = p_who.user_id AND g.station = p_station
                      AND g.logged_in_at > clock_timestamp() - make_interval(hours => f.hours)
                      AND sync._key_used(p_who.user_id, p_station, p_text, p_mac) = 1)
    ORDER BY f.hours LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'For this (%) the server wants a login that is not older than % hours; log in again while it can be reached, then settle this.',
      replace(v.entity, '_', ' '), v.hours USING ERRCODE = '42501';
  END IF;
END $$;
