-- For unified.md. The columns are made of the data, so that a row which lacks one, or has another type, is refused.
CREATE TABLE IF NOT EXISTS health_data (
  id text COLLATE "C" PRIMARY KEY,
  data jsonb NOT NULL,
  patient_id text NOT NULL GENERATED ALWAYS AS (data->>'patient_id') STORED,
  age integer NOT NULL GENERATED ALWAYS AS ((data->>'age')::integer) STORED,
  diagnosis text NOT NULL GENERATED ALWAYS AS (data->>'diagnosis') STORED,
  timestamp timestamptz NOT NULL DEFAULT now()
);
