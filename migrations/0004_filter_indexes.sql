-- Lists that are filtered twice walk one index in order of arrival and read the second filter off it, without a look at
-- the table for each row: a million exchanges of a client that never used a model took half a second.
DROP INDEX exchanges_model;
DROP INDEX exchanges_client;
DROP INDEX exchanges_phase;
CREATE INDEX exchanges_model ON exchanges (model, seq, client_name, phase, operation) WHERE model IS NOT NULL;
CREATE INDEX exchanges_client ON exchanges (client_name, seq, model, phase, operation) WHERE client_name IS NOT NULL;
CREATE INDEX exchanges_phase ON exchanges (phase, seq, operation, client_name, model);
