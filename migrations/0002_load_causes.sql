-- Who made a runner load, whose settings it replaced, and what that cost.
ALTER TABLE loads ADD COLUMN client TEXT;
ALTER TABLE loads ADD COLUMN previous_client TEXT;
ALTER TABLE loads ADD COLUMN load_ms REAL;
ALTER TABLE loads ADD COLUMN lost_bytes INTEGER;
