-- What holds over several rows, which two entries that each are right may break together.

-- Disputes about orders whose status does not follow from their stages any more, and about the last administrator.
CREATE OR REPLACE FUNCTION sync._torn(p_rows jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE v_bad jsonb; v_orders uuid[];
BEGIN
  -- Found by index first: one query over all would read every stage, and most entries move none.
  SELECT array_agg(DISTINCT t.work_order_id) INTO v_orders
    FROM jsonb_array_elements(p_rows) r JOIN lineside.stage t ON t.id = (r->>'id')::uuid
    WHERE r->>'e' = 'stage' AND r->>'k' = 'u' AND r->'set'->'status'->0 <> r->'set'->'status'->1;
  v_bad := '[]';
  IF v_orders IS NOT NULL THEN
    SELECT coalesce(jsonb_agg(sync._dispute('work_order', z.id, 'status', NULL, to_jsonb(z.due), to_jsonb(z.status))), '[]')
      INTO v_bad FROM (
        SELECT o.id, o.status,
          -- as app.domain.orders.status_from_stages
          CASE WHEN bool_and(s.status = 'done') THEN 'done' WHEN bool_or(s.status = 'blocked') THEN 'blocked'
               WHEN bool_or(s.status <> 'planned') THEN 'in_progress' ELSE 'planned' END AS due
        FROM lineside.work_order o JOIN lineside.stage s ON s.work_order_id = o.id AND NOT s.deleted
        WHERE NOT o.deleted AND o.id = ANY (v_orders)
        GROUP BY o.id) z
      WHERE z.status <> z.due;
  END IF;
  PERFORM FROM jsonb_array_elements(p_rows) r
    WHERE r->>'e' = 'user_account' AND r->>'k' = 'u' AND r->'set' ?| ARRAY['role', 'disabled', 'deleted'] LIMIT 1;
  IF FOUND AND NOT EXISTS (
    SELECT FROM lineside.user_account WHERE role = 'admin' AND NOT disabled AND NOT deleted) THEN
    RAISE EXCEPTION 'Nobody would be an administrator any more; make someone else one first.'
      USING ERRCODE = 'SY010';
  END IF;
  RETURN v_bad;
END $$;

REVOKE ALL ON FUNCTION sync._torn(jsonb) FROM PUBLIC;
