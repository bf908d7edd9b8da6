SELECT 1::double precision WHERE to_regprocedure('vw.autoembed_step()') IS NOT NULL
