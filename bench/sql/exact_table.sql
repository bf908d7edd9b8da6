-- MAIN keeps the vectors in the rows; both sides of a comparison would be made the same way.
DROP TABLE IF EXISTS exact;
CREATE UNLOGGED TABLE exact (id integer, embedding vector);
ALTER TABLE exact ALTER COLUMN embedding SET STORAGE MAIN;
SELECT setseed(0.5);
