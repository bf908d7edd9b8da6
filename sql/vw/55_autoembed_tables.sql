-- Columns that keep themselves embedded: what is kept about them. Who owns the table of a job sees and changes its rows.

CREATE FUNCTION vw.owns(relation regclass) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog BEGIN ATOMIC
	SELECT EXISTS (SELECT FROM pg_class c WHERE c.oid = relation AND pg_has_role(c.relowner, 'USAGE'));
END;

COMMENT ON FUNCTION vw.owns IS
	'Whether the current role has the rights of a table''s owner.';

-- model is pinned (id@sha256), so that a column never holds vectors of two packs. backfill: rows that were there before
-- are still being queued, those up to the key backfilled are.
CREATE TABLE vw.autoembed (
	id text PRIMARY KEY,
	relation regclass NOT NULL,
	key name[] NOT NULL,
	source name NOT NULL,
	target name NOT NULL,
	modality text NOT NULL CHECK (modality IN ('text', 'image', 'audio')),
	model text NOT NULL,
	backfill text NOT NULL CHECK (backfill IN ('all', 'missing', 'none')),
	backfilled jsonb,
	done bigint NOT NULL DEFAULT 0,
	holds integer NOT NULL DEFAULT 0,
	hold_until timestamptz NOT NULL DEFAULT '-infinity',
	error_code text,
	error text,
	worked_at timestamptz NOT NULL DEFAULT '-infinity',
	UNIQUE (relation, target)
);

-- A change of a row adds an entry and changes none, so whoever writes to a table waits for no worker.
CREATE TABLE vw.autoembed_queue (
	autoembed_id text NOT NULL REFERENCES vw.autoembed ON DELETE CASCADE,
	key jsonb NOT NULL,
	queued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	due timestamptz NOT NULL DEFAULT clock_timestamp(),
	attempts integer NOT NULL DEFAULT 0,
	alone boolean NOT NULL DEFAULT false,
	failed_at timestamptz,
	error_code text,
	error text
);

CREATE INDEX autoembed_queue_due ON vw.autoembed_queue (autoembed_id, due) WHERE failed_at IS NULL;
CREATE INDEX autoembed_queue_failed ON vw.autoembed_queue (autoembed_id) WHERE failed_at IS NOT NULL;

-- Rows come and go all the time.
ALTER TABLE vw.autoembed_queue SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

ALTER TABLE vw.autoembed ENABLE ROW LEVEL SECURITY;
ALTER TABLE vw.autoembed_queue ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner ON vw.autoembed USING (vw.owns(relation));
CREATE POLICY owner ON vw.autoembed_queue USING (autoembed_id IN (SELECT a.id FROM vw.autoembed a));

-- Whoever may write to a table may have its rows embedded. An entry says which row to look at, and nothing else.
CREATE POLICY writer ON vw.autoembed_queue FOR INSERT WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON vw.autoembed TO PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON vw.autoembed_queue TO PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('vw.autoembed', '');
SELECT pg_catalog.pg_extension_config_dump('vw.autoembed_queue', '');
