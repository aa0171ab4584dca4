-- What an exchange is for, and which one an edited or regenerated turn goes on from.
ALTER TABLE exchanges ADD COLUMN purpose TEXT;
ALTER TABLE exchanges ADD COLUMN branch_of TEXT;

-- One row a conversation, kept up to date with each of its turns, so that a list need not read the exchanges.
CREATE TABLE conversations (
  -- Order of the latest turn: a new one gives the row the highest number.
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  model TEXT,
  client TEXT,
  purpose TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  turn_count INTEGER NOT NULL,
  branch_count INTEGER NOT NULL,
  -- The whole Conversation.
  json TEXT NOT NULL,
  -- JSON: salted hashes by which its next turn is known again after a restart. NULL: it cannot be gone on with.
  heads TEXT
) STRICT;

-- Each ends in seq by itself. What programs ask on their own account outnumbers by far what people say.
CREATE INDEX conversations_people ON conversations (seq) WHERE purpose IN ('chat', 'single');
CREATE INDEX conversations_purpose ON conversations (purpose);
CREATE INDEX conversations_model ON conversations (model) WHERE model IS NOT NULL;
CREATE INDEX conversations_client ON conversations (client) WHERE client IS NOT NULL;
CREATE INDEX conversations_last ON conversations (last_at);
