-- only on MySQL
BEGIN;
CREATE TABLE plain (
  id INTEGER NOT NULL, -- the key
  word VARCHAR(10) DEFAULT 'a;b',
  PRIMARY KEY (id)
);
ALTER TABLE plain ADD COLUMN more INTEGER;
COMMIT;
