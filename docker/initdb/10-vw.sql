-- Runs once, in an empty cluster, as its owner: the extensions, and the role as which the service connects.
\getenv password VW_SERVICE_PASSWORD
\if :{?password}
\else
	\warn 'VW_SERVICE_PASSWORD must be set: it is the password of the role vw_service'
	DO $$ BEGIN RAISE EXCEPTION 'VW_SERVICE_PASSWORD is not set'; END $$;
\endif
SET client_min_messages = warning;
CREATE EXTENSION vw CASCADE;
SELECT 'CREATE ROLE vw_service LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'vw_service') \gexec
ALTER ROLE vw_service PASSWORD :'password';
SELECT vw.grant_service('vw_service');
