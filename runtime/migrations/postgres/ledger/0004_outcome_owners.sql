-- Whose outcomes they are: everybody has a share of the room. Empty for those that were stored
-- before; they count to the whole alone until their time is over.

ALTER TABLE outcomes ADD COLUMN owner TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX outcomes_by_owner ON outcomes (owner, bytes);
