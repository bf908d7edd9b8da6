-- Projects, keys, models, collections and items. Each collection is a partition of item: see 30_partitions.sql.

CREATE TABLE vw.project (
	id text PRIMARY KEY,
	name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 100),
	created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE vw.api_key (
	id text PRIMARY KEY,
	project_id text NOT NULL REFERENCES vw.project ON DELETE CASCADE,
	name text,
	hash bytea NOT NULL CHECK (length(hash) = 32),
	scopes text[] NOT NULL DEFAULT '{read,write}' CHECK (scopes <@ '{read,write,admin}' AND cardinality(scopes) > 0),
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	-- To the minute.
	last_used_at timestamptz,
	expires_at timestamptz,
	revoked_at timestamptz
);

-- What a model was when a collection was first made with it.
CREATE TABLE vw.model (
	id text NOT NULL,
	sha256 text NOT NULL,
	name text NOT NULL,
	types text[] NOT NULL,
	dimensions integer NOT NULL,
	metric text NOT NULL,
	PRIMARY KEY (id, sha256)
);

CREATE TABLE vw.collection (
	id text PRIMARY KEY,
	project_id text NOT NULL REFERENCES vw.project ON DELETE CASCADE,
	name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
	description text CHECK (length(description) <= 500),
	model_id text NOT NULL,
	model_sha256 text NOT NULL,
	item_count bigint NOT NULL DEFAULT 0,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	UNIQUE (project_id, name),
	FOREIGN KEY (model_id, model_sha256) REFERENCES vw.model (id, sha256)
);

-- The parent has no primary key: a partition has its own, since an inherited one does not come back from a dump.
CREATE TABLE vw.item (
	collection_id text NOT NULL,
	id text NOT NULL,
	content_type text NOT NULL CHECK (content_type IN ('text', 'image', 'audio')),
	content text,
	metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
	embedding vector NOT NULL,
	tokens integer NOT NULL,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	-- Of an image or a sound: bytes and their hash; and, where the REST service keeps the file, its format and its key.
	media_size bigint,
	media_sha256 bytea,
	media_type text,
	media_key text CHECK (split_part(media_key, '/', 2) = collection_id)
) PARTITION BY LIST (collection_id);

-- MAIN keeps embeddings in the row: an exact search over TOASTed ones spends nearly all its time fetching them.
ALTER TABLE vw.item ALTER COLUMN embedding SET STORAGE MAIN;

-- Keys of media files that no item has, or none has yet: see 55_media.sql. One that ends in / is of all files below it.
CREATE TABLE vw.doomed_media (
	key text PRIMARY KEY,
	due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	claimed boolean NOT NULL DEFAULT false
);

CREATE INDEX ON vw.doomed_media (due_at);

-- What the public functions give of a collection.
CREATE TYPE vw.collection_info AS (
	id text,
	name text,
	description text,
	model_id text,
	types text[],
	dimensions integer,
	metric text,
	item_count bigint,
	created_at timestamptz,
	updated_at timestamptz
);

-- What came of one input: an embedding, or why it has none (an SQLSTATE and what to say); ordinal counts from 1.
CREATE TYPE vw.embedded AS (
	ordinal integer,
	embedding vector,
	tokens integer,
	truncated boolean,
	error_code text,
	error text,
	hint text
);

INSERT INTO vw.project (id, name) VALUES ('prj_default', 'default');

SELECT pg_catalog.pg_extension_config_dump('vw.project', 'WHERE id <> ''prj_default''');
SELECT pg_catalog.pg_extension_config_dump('vw.api_key', '');
SELECT pg_catalog.pg_extension_config_dump('vw.model', '');
SELECT pg_catalog.pg_extension_config_dump('vw.collection', '');
SELECT pg_catalog.pg_extension_config_dump('vw.doomed_media', '');
