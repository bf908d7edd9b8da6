-- An index is measured, not the planner; that the plan is an index scan is seen to.
SET enable_seqscan = off;
SET client_min_messages = warning;
