-- Logging in and passwords. The server never sees a password: the station sends what Argon2id made of it.

-- With which salt and costs the station is to hash; an unknown name gets terms that look the same and never change.
CREATE OR REPLACE FUNCTION sync.login_terms(p_name text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE v_terms text; v_costs text;
BEGIN
  PERFORM sync._station();
  SELECT c.terms INTO v_terms FROM sync.credential c JOIN lineside.user_account u ON u.id = c.user_id
    WHERE u.name_key = p_name AND NOT u.deleted;
  IF FOUND THEN
    RETURN v_terms;
  END IF;
  SELECT left(terms, length(terms) - position('$' IN reverse(terms)) + 1) INTO v_costs
    FROM sync.credential ORDER BY changed_at DESC, user_id LIMIT 1;
  RETURN coalesce(v_costs, '$argon2id$v=19$m=65536,t=3,p=4$') || (
    SELECT left(encode(decode(sync._mac(sync._inner_key(grant_key), sync._outer_key(grant_key), 'terms:' || p_name), 'hex'),
                       'base64'), 22) FROM sync.server);
END $$;

CREATE OR REPLACE FUNCTION sync._lock_after(p_failed integer) RETURNS timestamptz
LANGUAGE sql STABLE AS $$  -- as app.domain.people.lock_after
  SELECT CASE WHEN p_failed >= 5
    THEN clock_timestamp() + least(interval '30 seconds' * power(2, least(p_failed - 5, 16)), interval '1 hour') END
$$;

-- The grant that lets a person sign on a station: the same secret as long as it was not revoked and the password is the
-- same. The secrets from before a new password follow the new one, since what they signed may be under way for days.
CREATE OR REPLACE FUNCTION sync._extend_grant(p_user uuid, p_station text) RETURNS sync.login_grant
LANGUAGE plpgsql AS $$
DECLARE
  g sync.login_grant;
  v_secret bytea := sync._grant_secret(p_user, p_station, (SELECT generation FROM sync.station WHERE name = p_station));
BEGIN
  INSERT INTO sync.login_grant AS o (user_id, station, secret, key_inner, key_outer, until, logged_in_at)
    VALUES (p_user, p_station, v_secret, sync._inner_key(v_secret), sync._outer_key(v_secret),
            clock_timestamp() + make_interval(days => (SELECT grant_days FROM sync.server)), clock_timestamp())
    ON CONFLICT (user_id, station) DO UPDATE SET until = greatest(o.until, excluded.until),
      logged_in_at = excluded.logged_in_at,
      secret = CASE WHEN substr(o.secret, 1, 32) = v_secret THEN o.secret
                    ELSE v_secret || substr(o.secret, 1, 32 * 7) END,
      key_inner = CASE WHEN substr(o.secret, 1, 32) = v_secret THEN o.key_inner
                       ELSE excluded.key_inner || substr(o.key_inner, 1, 64 * 7) END,
      key_outer = CASE WHEN substr(o.secret, 1, 32) = v_secret THEN o.key_outer
                       ELSE excluded.key_outer || substr(o.key_outer, 1, 64 * 7) END
    RETURNING * INTO g;
  RETURN g;
END $$;

-- Logging in takes two calls that are alike, each in a transaction of its own. The first only counts the try and answers
-- {"refused": "SY023"}; the second finds what the first committed, and judges. So nobody can take the count of a wrong
-- try back with a rollback, and no password is judged that was not counted before. A wrong one is answered, not raised:
-- {"refused": "SY020" wrong | "SY021" locked, with "seconds" | "SY022" disabled}.
CREATE OR REPLACE FUNCTION sync.login(p_name text, p_key bytea) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  s sync.station := sync._station(); u lineside.user_account; c sync.credential; g sync.login_grant; v_try uuid;
BEGIN
  SELECT * INTO u FROM lineside.user_account WHERE name_key = p_name AND NOT deleted;
  SELECT * INTO c FROM sync.credential WHERE user_id = u.id FOR UPDATE;
  IF NOT FOUND OR p_key IS NULL THEN
    RETURN jsonb_build_object('refused', 'SY020');
  END IF;
  SELECT left(sync._mac(sync._inner_key(grant_key), sync._outer_key(grant_key),
                        'try:' || u.id || ':' || s.name || ':' || encode(p_key, 'hex')), 32)::uuid INTO v_try FROM sync.server;
  DELETE FROM sync.password_nonce WHERE nonce = v_try AND at <> now();  -- now() is the beginning of this transaction
  IF NOT FOUND THEN
    IF c.locked_until > clock_timestamp() THEN
      RETURN jsonb_build_object('refused', 'SY021',
        'seconds', ceil(extract(epoch FROM c.locked_until - clock_timestamp())));
    END IF;
    INSERT INTO sync.password_nonce (nonce) VALUES (v_try) ON CONFLICT DO NOTHING;
    UPDATE sync.credential SET failed_tries = failed_tries + 1, locked_until = sync._lock_after(failed_tries + 1)
      WHERE user_id = u.id;
    RETURN jsonb_build_object('refused', 'SY023');
  ELSIF sha256(p_key) IS DISTINCT FROM c.key_hash THEN
    RETURN jsonb_build_object('refused', 'SY020');
  END IF;
  UPDATE sync.credential SET failed_tries = 0, locked_until = NULL WHERE user_id = u.id;
  IF u.disabled THEN
    RETURN jsonb_build_object('refused', 'SY022');
  END IF;
  g := sync._extend_grant(u.id, s.name);
  RETURN jsonb_build_object('user_id', u.id, 'name', u.name, 'role', u.role,
    'must_change_password', u.must_change_password, 'secret', encode(substr(g.secret, 1, 32), 'hex'), 'until', g.until,
    'now', clock_timestamp());
END $$;

-- Somebody who stays logged in for weeks asks for more time, with p_body {"renew": their id, "at"} signed by themselves;
-- {"until", "now"}. It is no login: what wants a fresh one still does, and a password that was set since ends it. The
-- same note once more does no harm: who does not have the secret can do nothing with the time.
CREATE OR REPLACE FUNCTION sync.renew_login(p_body text, p_mac text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE s sync.station := sync._station(); v_user uuid := (p_body::jsonb->>'renew')::uuid; v_until timestamptz;
BEGIN
  IF v_user IS NULL OR NOT sync._signed_by(v_user, s.name, p_body, p_mac) THEN
    RAISE EXCEPTION 'The signature is not one of this person on the station %; log in again while the server can be reached.',
      s.name USING ERRCODE = '42501';
  END IF;
  PERFORM sync._account(v_user);
  IF NOT sync._signed_now(v_user, s.name, p_body, p_mac) THEN
    RAISE EXCEPTION 'The password was changed since the login on the station %; log in again while the server can be reached.',
      s.name USING ERRCODE = '42501';
  END IF;
  UPDATE sync.login_grant g
    SET until = greatest(g.until, clock_timestamp() + make_interval(days => (SELECT grant_days FROM sync.server)))
    WHERE g.user_id = v_user AND g.station = s.name RETURNING g.until INTO v_until;
  RETURN jsonb_build_object('until', v_until, 'now', clock_timestamp());
END $$;

-- A new password: p_body is {"user", "terms", "key_hash", "at", "actor_id", "nonce"}, signed by its author. A person's
-- own one says with "was" which terms it replaces, so that one that was kept for days does not undo a later one.
CREATE OR REPLACE FUNCTION sync.set_password(p_body text, p_mac text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE s sync.station := sync._station(); j jsonb := p_body::jsonb; v_user uuid := (j->>'user')::uuid; a sync.author;
BEGIN
  a := sync._author_of(s, (j->>'actor_id')::uuid, j->>'actor', p_body, p_mac);
  IF NOT a.brings AND a.user_id IS DISTINCT FROM v_user
     AND NOT EXISTS (SELECT FROM sync.role_permission WHERE role = a.role AND permission = 'MANAGE_USERS') THEN
    RAISE EXCEPTION 'The role % may change only their own password.', a.role USING ERRCODE = '42501';
  ELSIF NOT EXISTS (SELECT FROM lineside.user_account WHERE id = v_user AND NOT deleted) THEN
    RAISE EXCEPTION 'The server does not have the account of this password yet.' USING ERRCODE = 'SY011';
  ELSIF coalesce(j->>'terms', '') !~ '^\$argon2id\$v=\d{1,3}\$m=\d{1,7},t=\d{1,2},p=\d{1,2}\$[A-Za-z0-9+/]{11,90}$'
     OR coalesce(j->>'key_hash', '') !~ '^[0-9a-f]{64}$' OR j->>'nonce' IS NULL THEN
    RAISE EXCEPTION 'This is no password note of Lineside.' USING ERRCODE = 'SY011';
  END IF;
  INSERT INTO sync.password_nonce (nonce) VALUES ((j->>'nonce')::uuid) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN;  -- the same note once more
  END IF;
  IF EXISTS (SELECT FROM sync.credential c WHERE c.user_id = v_user AND c.terms <> j->>'was') THEN
    RAISE EXCEPTION 'The password was changed meanwhile on another station; that one counts.' USING ERRCODE = 'SY010';
  ELSIF NOT a.brings AND NOT sync._signed_now(a.user_id, s.name, p_body, p_mac) THEN
    RAISE EXCEPTION 'The password of % was changed since the login on the station %; log in again while the server can be reached.',
      a.name, s.name USING ERRCODE = '42501';
  END IF;
  INSERT INTO sync.credential (user_id, terms, key_hash, changed_at)
    VALUES (v_user, j->>'terms', decode(j->>'key_hash', 'hex'), clock_timestamp())
    ON CONFLICT (user_id) DO UPDATE SET terms = excluded.terms, key_hash = excluded.key_hash,
      changed_at = excluded.changed_at, failed_tries = 0, locked_until = NULL;
  -- Who chose a new one for themselves is logged in with it where they did, and only there.
  UPDATE sync.login_grant SET logged_in_at = clock_timestamp()
    WHERE NOT a.brings AND user_id = v_user AND user_id = a.user_id AND station = s.name;
  PERFORM pg_notify('lineside', 'password');  -- a hint, never data: stations ask whose login ended
END $$;

-- Whose logins this station has, for it to compare with its own: [{"user", "terms", "older"}]. With other terms than the
-- station remembers, the password was changed elsewhere; `older` says that secrets from before still count besides.
CREATE OR REPLACE FUNCTION sync.logins() RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE s sync.station := sync._station();
BEGIN
  RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('user', g.user_id, 'terms', c.terms,
      -- What another process here signed right before it heard of the new login may be on its way for a moment.
      'older', length(g.secret) > 32 AND g.logged_in_at < clock_timestamp() - interval '1 minute')), '[]')
    FROM sync.login_grant g JOIN sync.credential c USING (user_id) WHERE g.station = s.name);
END $$;

-- The station has nothing left that p_users signed with an earlier password, and nobody there can sign so any more:
-- from now on the server takes nothing of the kind.
CREATE OR REPLACE FUNCTION sync.end_older_logins(p_users uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE s sync.station := sync._station();
BEGIN
  DELETE FROM sync.login_grant g
    WHERE g.station = s.name AND g.user_id = ANY (p_users) AND NOT sync._is_current(g.user_id, s.name);
  UPDATE sync.login_grant g SET secret = substr(g.secret, 1, 32), key_inner = substr(g.key_inner, 1, 64),
      key_outer = substr(g.key_outer, 1, 64)
    WHERE g.station = s.name AND g.user_id = ANY (p_users) AND length(g.secret) > 32;
END $$;

GRANT EXECUTE ON FUNCTION sync.login_terms(text) TO @station@;
GRANT EXECUTE ON FUNCTION sync.login(text, bytea) TO @station@;
GRANT EXECUTE ON FUNCTION sync.renew_login(text, text) TO @station@;
GRANT EXECUTE ON FUNCTION sync.set_password(text, text) TO @station@;
GRANT EXECUTE ON FUNCTION sync.logins() TO @station@;
GRANT EXECUTE ON FUNCTION sync.end_older_logins(uuid[]) TO @station@;
