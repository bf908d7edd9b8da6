-- Binary COPY: the bytes that are written, pgvector's bytes read, and what is refused.
CREATE DATABASE golden_copy;
\c golden_copy
CREATE EXTENSION vector;
CREATE TABLE v (v vector(2));
CREATE TABLE h (h halfvec(2));
CREATE TABLE s (s sparsevec(2));
CREATE FUNCTION load(target text, octal text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('COPY %I FROM PROGRAM %L WITH (FORMAT binary)', target,
		format('printf ''PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\1%s\377\377''', octal));
END $$;
\set SHOW_CONTEXT never
SELECT vector_send('[1,-2]'), halfvec_send('[1,-2]'), sparsevec_send('{1:1,2:-2}/2'), sparsevec_send('{}/2');
SELECT load('v', '\0\0\0\14\0\2\0\0\77\200\0\0\300\0\0\0');
SELECT load('h', '\0\0\0\10\0\2\0\0\74\0\300\0');
SELECT load('s', '\0\0\0\34\0\0\0\2\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\1\77\200\0\0\300\0\0\0');
SELECT * FROM v, h, s;
-- Other dimensions, none, too many, an unused word, NaN, infinity, too short, too long.
SELECT load('v', '\0\0\0\10\0\1\0\0\77\200\0\0');
SELECT load('h', '\0\0\0\6\0\1\0\0\74\0');
SELECT load('s', '\0\0\0\14\0\0\0\3\0\0\0\0\0\0\0\0');
SELECT load('v', '\0\0\0\4\0\0\0\0');
SELECT load('h', '\0\0\0\4\0\0\0\0');
SELECT load('s', '\0\0\0\14\0\0\0\0\0\0\0\0\0\0\0\0');
SELECT load('v', '\0\0\0\4\377\377\0\0');
SELECT load('h', '\0\0\0\4\76\201\0\0');
SELECT load('s', '\0\0\0\14\177\377\377\377\0\0\0\0\0\0\0\0');
SELECT load('v', '\0\0\0\14\0\2\377\377\77\200\0\0\300\0\0\0');
SELECT load('h', '\0\0\0\10\0\2\0\1\74\0\300\0');
SELECT load('s', '\0\0\0\14\0\0\0\2\0\0\0\0\377\377\377\377');
SELECT load('v', '\0\0\0\14\0\2\0\0\177\300\0\0\300\0\0\0');
SELECT load('h', '\0\0\0\10\0\2\0\0\176\0\300\0');
SELECT load('s', '\0\0\0\24\0\0\0\2\0\0\0\1\0\0\0\0\0\0\0\0\177\300\0\0');
SELECT load('v', '\0\0\0\14\0\2\0\0\77\200\0\0\377\200\0\0');
SELECT load('h', '\0\0\0\10\0\2\0\0\74\0\374\0');
SELECT load('s', '\0\0\0\24\0\0\0\2\0\0\0\1\0\0\0\0\0\0\0\0\177\200\0\0');
SELECT load('v', '\0\0\0\10\0\2\0\0\77\200\0\0');
SELECT load('h', '\0\0\0\7\0\2\0\0\74\0\300');
SELECT load('s', '\0\0\0\20\0\0\0\2\0\0\0\1\0\0\0\0\0\0\0\0');
SELECT load('v', '\0\0\0\15\0\2\0\0\77\200\0\0\300\0\0\0\0');
-- Of sparse vectors: a negative count, too many elements, more than dimensions, bad indices, zeros.
CREATE TABLE any_s (s sparsevec);
SELECT load('any_s', '\0\0\0\14\0\0\0\2\377\377\377\377\0\0\0\0');
SELECT load('any_s', '\0\0\0\14\0\1\0\0\0\0\76\201\0\0\0\0');
SELECT load('any_s', '\0\0\0\14\0\0\0\2\0\0\0\3\0\0\0\0');
SELECT load('any_s', '\0\0\0\24\0\0\0\2\0\0\0\1\0\0\0\0\0\0\0\2\77\200\0\0');
SELECT load('any_s', '\0\0\0\24\0\0\0\2\0\0\0\1\0\0\0\0\377\377\377\377\77\200\0\0');
SELECT load('any_s', '\0\0\0\34\0\0\0\2\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\0\77\200\0\0\300\0\0\0');
SELECT load('any_s', '\0\0\0\34\0\0\0\2\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\1\77\200\0\0\300\0\0\0');
SELECT load('any_s', '\0\0\0\24\0\0\0\2\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0');
SELECT count(*) FROM any_s;
