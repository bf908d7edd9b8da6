-- The vw extension from psql: models, collections, items, search, embedding functions, and their errors.
CREATE DATABASE golden_vw;
\c golden_vw
CREATE EXTENSION vw CASCADE;
SELECT id, name, types, dimensions, metric, max_tokens, length(sha256) FROM vw_models();
SELECT vector_dims(embedding), round(vector_norm(embedding)::numeric, 6) AS norm, tokens, truncated FROM vw_embed('white running shoes');
SELECT tokens, truncated FROM vw_embed(repeat('word ', 5000));
SELECT tokens FROM vw_embed('');
SELECT vw_embed_text(NULL) IS NULL AS none, vw_embed_texts(NULL) IS NULL AS none_either, vw_embed_texts('{}') AS nothing;
SELECT cardinality(vw_embed_texts(ARRAY['a', 'b', 'a'])), (vw_embed_texts(ARRAY['a', 'b', 'a']))[1] = (vw_embed_texts(ARRAY['b', 'a']))[2] AS in_order;
SELECT round((1 - (vw_embed_text('a dog') <=> vw_embed_text('a puppy')))::numeric, 2) AS alike, round((1 - (vw_embed_text('a dog') <=> vw_embed_text('tax law')))::numeric, 2) AS unlike;
SELECT vw_embed_texts(ARRAY['a', NULL]);
SELECT vw_embed_text('x', 'nope');
SELECT vw_embed_image('\x00');
SELECT vw_embed_audio('\x00');
-- Collections.
SELECT name, description, model_id, types, dimensions, metric, item_count FROM vw_create_collection('shoes', 'What we sell');
SELECT vw_create_collection('shoes');
SELECT vw_create_collection('');
SELECT vw_create_collection(repeat('x', 101));
SELECT vw_create_collection('x', repeat('x', 501));
SELECT vw_create_collection('x', model => 'nope');
SELECT vw_create_collection('x', project => 'nope');
SELECT name, item_count FROM vw_collections();
-- Items.
SELECT ordinal, id, status, content_type, tokens, truncated FROM vw_index_items('shoes', ARRAY['Red leather running shoes', 'White tennis shoes', 'A hammer'], metadata => ARRAY['{"sku": 1, "sale": true}', '{"sku": 2}', NULL]::jsonb[], ids => ARRAY['red', 'white', 'hammer']);
SELECT id, status FROM vw_index_items('shoes', ARRAY['Green leather running shoes'], ids => ARRAY['red']);
SELECT id LIKE 'item\_%' AND length(id) = 31 AS ulid FROM vw_index_items('shoes', ARRAY['An anvil']);
SELECT vw_index_items('shoes');
SELECT vw_index_items('shoes', ARRAY[]::text[]);
SELECT vw_index_items('shoes', ARRAY['a', 'b'], ids => ARRAY['a']);
SELECT vw_index_items('shoes', ARRAY['a', NULL]);
SELECT vw_index_items('shoes', ARRAY['a'], images => ARRAY['\x00'::bytea]);
SELECT vw_index_items('shoes', ARRAY['a', NULL], images => ARRAY[NULL, '\x00'::bytea]);
SELECT vw_index_items('shoes', ARRAY['a', 'b'], ids => ARRAY['a', 'a']);
SELECT vw_index_items('shoes', ARRAY['a'], metadata => ARRAY['[]']::jsonb[]);
SELECT vw_index_items('shoes', ARRAY['']);
SELECT vw_index_items('nope', ARRAY['a']);
SELECT id, content, metadata FROM vw_items('shoes', 3);
SELECT id FROM vw_items('shoes', 2, 1);
SELECT vw_items('shoes', -1);
-- Search.
SELECT id, round(score::numeric, 3) AS score, content_type, metadata, content FROM vw_search('shoes', 'white running shoes', top_k => 2);
SELECT id FROM vw_search('shoes', 'white running shoes', threshold => 0.5);
SELECT id FROM vw_search('shoes', 'a tool', filter => '{"sku": 2}');
SELECT id FROM vw_search('shoes', 'a tool', filter => '{"sku": {"$gte": 2}, "sale": {"$ne": true}}');
SELECT id FROM vw_search('shoes', 'a tool', filter => '{"sku": [2]}');
SELECT id FROM vw_search('shoes', 'a tool', filter => '{"$or": [{"sku": {"$less": 2}}]}');
SELECT vw_search('shoes');
SELECT vw_search('shoes', 'a', '\x00');
SELECT vw_search('shoes', image => '\x00');
SELECT vw_search('shoes', 'a', top_k => 0);
SELECT vw_search('shoes', 'a', threshold => 2);
SELECT vw_search('nope', 'a');
-- Deleting.
SELECT vw_delete_items('shoes', ARRAY['red', 'white', 'never there']);
SELECT item_count FROM vw_collection('shoes');
SELECT vw_delete_collection('shoes') LIKE 'col\_%' AS deleted;
SELECT vw_collection('shoes');
SELECT count(*) AS partitions FROM pg_inherits WHERE inhparent = 'vw.item'::regclass;
-- An embedding column of one's own.
CREATE TABLE doc (body text, embedding vector(1024));
INSERT INTO doc SELECT body, vw_embed_text(body) FROM unnest(ARRAY['play chess', 'edit photos', 'convert audio files']) body;
SELECT body FROM doc ORDER BY embedding <=> vw_embed_text('a board game against the computer') LIMIT 1;
