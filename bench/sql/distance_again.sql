-- A schema for what a second session of one database makes.
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS distance_again CASCADE;
CREATE SCHEMA distance_again;
SET search_path = distance_again, public;
