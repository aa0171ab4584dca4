-- The first schema. STRICT tables; times are epoch milliseconds; what is unknown is NULL.
-- No prompt, answer, image, tool argument or key has a place here, and none may be added.

-- "PLIM" in ASCII: tells this file from any other SQLite database that lies under its name.
PRAGMA application_id = 0x504C494D;

-- One request and its answer.
CREATE TABLE exchanges (
  -- Order of arrival. Lists and cursors follow it, because a clock that is set back must not reorder them.
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  operation TEXT NOT NULL,
  dialect TEXT NOT NULL,
  method TEXT NOT NULL,
  path TEXT NOT NULL,
  model TEXT,
  client_name TEXT,
  user_agent TEXT,
  client_address TEXT,
  conversation_id TEXT,
  turn INTEGER,
  stream INTEGER,
  status INTEGER,
  requested_context_length INTEGER,
  context_length INTEGER,
  context_tokens_used INTEGER,
  request_bytes INTEGER NOT NULL,
  response_bytes INTEGER NOT NULL,
  chunk_count INTEGER NOT NULL,
  content_chunk_count INTEGER,
  phase TEXT NOT NULL,
  stage TEXT,
  error_code TEXT,
  error_message TEXT,
  first_token_at INTEGER,
  input_tokens INTEGER,
  cached_input_tokens INTEGER,
  output_tokens INTEGER,
  total_ms REAL,
  queue_ms REAL,
  load_ms REAL,
  prefill_ms REAL,
  decode_ms REAL,
  done_reason TEXT,
  -- NULL: no usage is known at all.
  usage_provenance TEXT,
  -- JSON: Notice[] and ExchangePrediction.
  notices TEXT,
  prediction TEXT
) STRICT;

-- Each index ends in seq by itself, so a filtered list is read in order and stops at its limit.
CREATE INDEX exchanges_model ON exchanges (model) WHERE model IS NOT NULL;
CREATE INDEX exchanges_conversation ON exchanges (conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX exchanges_client ON exchanges (client_name) WHERE client_name IS NOT NULL;
CREATE INDEX exchanges_operation ON exchanges (operation);
CREATE INDEX exchanges_phase ON exchanges (phase);
CREATE INDEX exchanges_started ON exchanges (started_at);
-- Pollers are forgotten sooner than the rest; without this each clean-up would walk the whole history.
CREATE INDEX exchanges_other ON exchanges (started_at) WHERE operation = 'other';

-- The machine's memory as it was read, one row a reading.
CREATE TABLE samples (
  taken_at INTEGER PRIMARY KEY,
  total_bytes INTEGER,
  available_bytes INTEGER,
  headroom_bytes INTEGER,
  floor_bytes INTEGER,
  anonymous_bytes INTEGER,
  mapped_bytes INTEGER,
  swap_total_bytes INTEGER,
  swap_used_bytes INTEGER,
  swap_out_bytes_per_second REAL,
  swap_in_bytes_per_second REAL,
  refault_bytes_per_second REAL,
  kswapd_scan_per_second REAL,
  pressure_some_ratio REAL,
  pressure_full_ratio REAL,
  limit_bytes INTEGER,
  limit_used_bytes INTEGER,
  -- JSON: GpuSample[], RunnerSample[], string[]; NULL when empty.
  gpus TEXT,
  runners TEXT,
  problems TEXT
) STRICT;

-- The same over 10 s, 60 s, 900 s and 14,400 s: averages under the sample's own names, extremes beside them.
-- Written together with the samples, so that every span is complete at any moment.
CREATE TABLE sample_rollups (
  seq INTEGER PRIMARY KEY,
  span_seconds INTEGER NOT NULL,
  -- Start of the span, a multiple of it.
  taken_at INTEGER NOT NULL,
  sample_count INTEGER NOT NULL,
  total_bytes REAL,
  available_bytes REAL,
  headroom_bytes REAL,
  floor_bytes REAL,
  anonymous_bytes REAL,
  mapped_bytes REAL,
  swap_total_bytes REAL,
  swap_used_bytes REAL,
  swap_out_bytes_per_second REAL,
  swap_in_bytes_per_second REAL,
  refault_bytes_per_second REAL,
  kswapd_scan_per_second REAL,
  pressure_some_ratio REAL,
  pressure_full_ratio REAL,
  limit_bytes REAL,
  limit_used_bytes REAL,
  min_available_bytes REAL,
  min_headroom_bytes REAL,
  min_anonymous_bytes REAL,
  min_mapped_bytes REAL,
  min_swap_used_bytes REAL,
  min_swap_out_bytes_per_second REAL,
  min_swap_in_bytes_per_second REAL,
  min_refault_bytes_per_second REAL,
  min_kswapd_scan_per_second REAL,
  min_pressure_some_ratio REAL,
  min_pressure_full_ratio REAL,
  max_available_bytes REAL,
  max_headroom_bytes REAL,
  max_anonymous_bytes REAL,
  max_mapped_bytes REAL,
  max_swap_used_bytes REAL,
  max_swap_out_bytes_per_second REAL,
  max_swap_in_bytes_per_second REAL,
  max_refault_bytes_per_second REAL,
  max_kswapd_scan_per_second REAL,
  max_pressure_some_ratio REAL,
  max_pressure_full_ratio REAL,
  -- JSON: in how many samples a figure was known, for those not known in all of them.
  known_counts TEXT,
  gpus TEXT,
  runners TEXT,
  problems TEXT,
  UNIQUE (span_seconds, taken_at)
) STRICT;

-- One start of a runner.
CREATE TABLE loads (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  unloaded_at INTEGER,
  model TEXT NOT NULL,
  digest TEXT,
  exchange_id TEXT,
  cause TEXT NOT NULL,
  context_length INTEGER,
  parallel INTEGER,
  claimed_bytes INTEGER,
  claimed_device_bytes INTEGER,
  -- JSON: the differences in options, RunnerSettings, MemoryEstimate, RunnerSample.
  differences TEXT,
  settings TEXT,
  predicted TEXT,
  measured TEXT
) STRICT;

CREATE INDEX loads_started ON loads (started_at);
CREATE INDEX loads_exchange ON loads (exchange_id) WHERE exchange_id IS NOT NULL;

-- One alert from raise to clear. Raw samples around it are kept.
CREATE TABLE episodes (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  level TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  -- The whole Episode.
  json TEXT NOT NULL
) STRICT;

CREATE INDEX episodes_started ON episodes (started_at);

-- Small things that must survive a restart, such as the salt of this installation.
CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
