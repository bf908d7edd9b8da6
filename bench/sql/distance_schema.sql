-- A schema for what a session makes.
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS distance CASCADE;
CREATE SCHEMA distance;
SET search_path = distance, public;
