-- Embedding functions of the vw extension: per-input outcomes, files, pinned packs in generated columns, autoembed's checks.
CREATE DATABASE golden_embed;
\c golden_embed
SET client_min_messages = warning;
CREATE EXTENSION vw CASCADE;
SELECT pinned AS pack FROM vw_models() \gset
SELECT pinned = id || '@' || sha256 AS pinned FROM vw_models();
SELECT ordinal, vector_dims(embedding), tokens, truncated, error_code, error, hint FROM vw.engine_embed('text', ARRAY['a', 'b c']::bytea[], NULL, true);
SELECT ordinal, tokens FROM vw.engine_embed_all('text', ARRAY['a', 'b c']::bytea[], NULL, true);
SELECT ordinal, tokens FROM vw.engine_embed('smell', ARRAY['a']::bytea[], NULL, true);
SELECT tokens, truncated FROM vw_embed('a text', :'pack');
SELECT tokens, truncated FROM vw_embed('bytes of a text'::bytea, 'text');
SELECT vw_embed_texts(ARRAY['a', 'b'], 'nope');
SELECT count(*) >= 0 AS stats, count(*) FILTER (WHERE padding NOT BETWEEN 0 AND 1 OR failed < 0) AS odd FROM vw_engine_stats();
-- Another pack than the one that is named by its hash does not answer.
DO $$ DECLARE hint text; BEGIN PERFORM vw_embed_text('x', (SELECT id FROM vw_models()) || '@' || repeat('0', 64)); EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT; RAISE WARNING '%: %', SQLSTATE, hint; END $$;
SELECT vw_embed_text('x', :'pack') = vw_embed_text('x') AS same;
-- Pinned functions.
SELECT vw_embed_text_pinned('x', :'pack') = vw_embed_text('x') AS same, vw_embed_text_pinned(NULL, :'pack') IS NULL AS none;
DO $$ DECLARE hint text; BEGIN PERFORM vw_embed_text_pinned('x', (SELECT id FROM vw_models())); EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT; RAISE WARNING '%: %, hint is the name: %', SQLSTATE, SQLERRM, hint = (SELECT format('Say %L.', pinned) FROM vw_models()); END $$;
SELECT vw_embed_text_pinned('x', 'nope');
SELECT vw_embed_image_pinned('\x00', 'nope');
SELECT vw_embed_audio_pinned('\x00', 'nope@1234');
\set VERBOSITY terse
SELECT vw_embed_text_pinned('x', NULL) IS NULL;
\set VERBOSITY default
SELECT proname, provolatile, proparallel, procost FROM pg_proc WHERE proname ~ '^vw_embed_.*_pinned$' ORDER BY 1;
CREATE TABLE doc (id int PRIMARY KEY, body text, e vector(1024) GENERATED ALWAYS AS (vw_embed_text_pinned(body, :'pack')) STORED);
INSERT INTO doc VALUES (1, 'play chess'), (2, 'edit photos'), (3, NULL);
UPDATE doc SET body = 'convert audio files' WHERE id = 2;
SELECT id, e = vw_embed_text(body) AS right_one FROM doc ORDER BY id;
SELECT id FROM doc WHERE e IS NOT NULL ORDER BY e <=> vw_embed_text('music') LIMIT 1;
CREATE TABLE plain (body text);
INSERT INTO plain SELECT 'text ' || i FROM generate_series(1, 50) i;
CREATE INDEX ON plain USING ivf ((vw_embed_text_pinned(body, :'pack')::vector(1024)) vector_cosine_ops);
SELECT body FROM plain ORDER BY vw_embed_text_pinned(body, :'pack')::vector(1024) <=> vw_embed_text('text 7') LIMIT 1;
CREATE TABLE other (body text, e vector(1024) GENERATED ALWAYS AS (vw_embed_text(body)) STORED);
-- A column that keeps itself embedded.
CREATE TABLE own (id int PRIMARY KEY, body text, raw bytea, n int, e vector(1024), small vector(3), made vector GENERATED ALWAYS AS (NULL) STORED);
CREATE TABLE keyless (body text, e vector);
CREATE VIEW seen AS SELECT * FROM own;
CREATE TEMP TABLE mine (id int PRIMARY KEY, body text, e vector);
SELECT vw_autoembed('own', 'nobody', 'e');
SELECT vw_autoembed('own', 'body', 'nowhere');
SELECT vw_autoembed('own', 'body', 'n');
SELECT vw_autoembed('own', 'body', 'made');
SELECT vw_autoembed('own', 'body', 'small');
SELECT vw_autoembed('own', 'body', 'e', 'nope');
SELECT vw_autoembed('own', 'body', 'e', modality => 'smell');
SELECT vw_autoembed('own', 'body', 'e', existing => 'some');
SELECT vw_autoembed('keyless', 'body', 'e');
SELECT vw_autoembed('seen', 'body', 'e');
SELECT vw_autoembed('mine', 'body', 'e');
SELECT vw_autoembed_drop('own', 'e');
SELECT vw_autoembed('own', 'body', 'e') LIKE 'aut\_%' AS made;
SELECT vw_autoembed('own', 'body', 'e');
SELECT "table", source, target, modality, model = :'pack' AS pinned, failed, last_error FROM vw_autoembed_status();
SELECT regexp_replace(tgname, 'aut_[0-9A-Z]{26}', 'ID') FROM pg_trigger WHERE tgrelid = 'own'::regclass AND NOT tgisinternal ORDER BY 1;
SELECT vw_autoembed_retry(), (SELECT count(*) FROM vw_autoembed_failed()) AS failed;
SELECT vw_autoembed_drop('own', 'e');
SELECT count(*) AS triggers FROM pg_trigger WHERE tgrelid = 'own'::regclass AND NOT tgisinternal;
