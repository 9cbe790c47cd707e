-- For unified.md. The columns are generated from the data, so that a row with a missing or wrong value is refused.
CREATE TABLE IF NOT EXISTS health_data (
  id text COLLATE "C" PRIMARY KEY,
  data jsonb NOT NULL,
  patient_id text NOT NULL GENERATED ALWAYS AS (data->>'patient_id') STORED,
  age integer NOT NULL GENERATED ALWAYS AS ((data->>'age')::integer) STORED,
  diagnosis text NOT NULL GENERATED ALWAYS AS (data->>'diagnosis') STORED,
  timestamp timestamptz NOT NULL DEFAULT now()
);
