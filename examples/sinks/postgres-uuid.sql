-- For examples/sinks/postgres and a table whose key is a UUID. `id` has the bits of the receipt's id.
CREATE TABLE IF NOT EXISTS logs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  data jsonb NOT NULL,
  inserted_at timestamptz NOT NULL DEFAULT now()
);

-- SELECT data FROM logs WHERE id = receipt_uuid('01M7YFR55BHYP5BSPG0DPTADCJ');
CREATE OR REPLACE FUNCTION receipt_uuid(receipt text) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT string_agg(to_hex(substr(bits, n, 4)::bit(4)::integer), '' ORDER BY n)::uuid
    FROM generate_series(3, 127, 4) AS n, (
      -- 26 digits have 130 bits; the first two are 0.
      SELECT string_agg((strpos('0123456789ABCDEFGHJKMNPQRSTVWXYZ', substr(receipt, n, 1)) - 1)::bit(5)::text, ''
          ORDER BY n) AS bits
        FROM generate_series(1, 26) AS n
    ) AS digits
$$;

-- SELECT receipt_id(id), data FROM logs;
CREATE OR REPLACE FUNCTION receipt_id(id uuid) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', substr(bits, n, 5)::bit(5)::integer + 1, 1), ''
      ORDER BY n)
    FROM generate_series(1, 126, 5) AS n,
      (SELECT '00' || ('x' || replace(id::text, '-', ''))::bit(128)::text AS bits) AS digits
$$;
