-- For examples/sinks/postgres. `id` is the id of the receipt, so that a redelivery is recognized.
CREATE TABLE IF NOT EXISTS logs (
  id text COLLATE "C" PRIMARY KEY,
  data jsonb NOT NULL,
  inserted_at timestamptz NOT NULL DEFAULT now()
);
