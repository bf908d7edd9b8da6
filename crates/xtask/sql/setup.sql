-- The extensions, in their newest installed versions, and what the service's role needs.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS vw CASCADE;
ALTER EXTENSION vector UPDATE;
ALTER EXTENSION vw UPDATE;
SELECT vw.grant_service('vw_service');
