-- Distances between bit strings, and their errors.
CREATE DATABASE golden_bit;
\c golden_bit
CREATE EXTENSION vector;
SELECT '111'::bit(3) <~> '100' AS hamming, '1111'::bit(4) <%> '1110' AS jaccard;
SELECT hamming_distance('1010', '0101'), hamming_distance('', ''), hamming_distance(repeat('10', 300)::bit(600), repeat('01', 300)::bit(600));
SELECT jaccard_distance('1100', '1000'), jaccard_distance('0000', '0000'), jaccard_distance('', ''), jaccard_distance(repeat('110', 200)::bit(600), repeat('011', 200)::bit(600));
SELECT hamming_distance('111', '00');
SELECT '111'::varbit <%> '0000'::varbit;
CREATE TABLE items (id int PRIMARY KEY, code bit(9));
INSERT INTO items VALUES (1, '000000000'), (2, '111111111'), (3, '000000001');
SELECT id FROM items ORDER BY code <~> '000000011', id;
SELECT id, round((binary_quantize(v) <%> '101')::numeric, 4) AS distance FROM (VALUES (1, '[1,0,2]'::vector), (2, '[0,1,-1]')) AS t (id, v);
