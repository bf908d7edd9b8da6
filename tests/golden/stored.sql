-- The bytes of rows, as a page has them: pgvector's, so that its tables are read in place and ours by it. Behind the header
-- of the value, which has one byte where it is short, and four where the column is PLAIN:
-- vector and halfvec: int16 dimensions, int16 zero, elements of float4 or binary16;
-- sparsevec: int32 dimensions, int32 number of elements, int32 zero, int32 indices from 0, float4 elements.
CREATE DATABASE golden_stored;
\c golden_stored
CREATE EXTENSION vector;
CREATE EXTENSION pageinspect;
CREATE TABLE vectors (v vector, p vector(2));
CREATE TABLE halfvecs (v halfvec, p halfvec(2));
CREATE TABLE sparsevecs (v sparsevec, p sparsevec(9));
ALTER TABLE vectors ALTER p SET STORAGE PLAIN;
ALTER TABLE halfvecs ALTER p SET STORAGE PLAIN;
ALTER TABLE sparsevecs ALTER p SET STORAGE PLAIN;
-- By COPY, for what is inserted is short in any column.
COPY vectors FROM stdin;
[1,-2,0.5]	[-0,1e-45]
\.
COPY halfvecs FROM stdin;
[1,-2,0.5]	[65504,6e-8]
\.
COPY sparsevecs FROM stdin;
{1:1,1000000000:-2}/1000000000	{9:0.5}/9
{}/3	\N
\.
SELECT encode(t_data, 'hex') FROM heap_page_items(get_raw_page('vectors', 0));
SELECT encode(t_data, 'hex') FROM heap_page_items(get_raw_page('halfvecs', 0));
SELECT encode(t_data, 'hex') FROM heap_page_items(get_raw_page('sparsevecs', 0));
-- An index has them in the same form.
CREATE INDEX vectors_p ON vectors (p);
SELECT data FROM bt_page_items('vectors_p', 1);
-- What is too long for a page is cut into pieces, not compressed.
SELECT t.typname, typstorage, typalign FROM pg_type t WHERE typname IN ('vector', 'halfvec', 'sparsevec') ORDER BY 1;
INSERT INTO vectors SELECT array_fill(1, ARRAY[1000])::vector, NULL;
SELECT reltoastrelid::regclass AS pieces FROM pg_class WHERE oid = 'vectors'::regclass \gset
SELECT chunk_seq, length(chunk_data), encode(substr(chunk_data, 1, 12), 'hex') AS begins FROM :pieces ORDER BY 1;
\c template1
DROP DATABASE golden_stored;
