-- The demo collection: goods of a small outdoor and household shop, and books of a library. Made once, by psql.

SELECT NOT EXISTS (SELECT FROM vw_collections() c WHERE c.name = 'demo') AS missing \gset
\if :missing

BEGIN;

CREATE TEMPORARY TABLE demo_text (n serial, kind text, shelf text, price numeric, year integer, content text) ON COMMIT DROP;

INSERT INTO demo_text (kind, shelf, price, content) VALUES
	('product', 'clothing', 89.00, 'Merino wool sweater, midweight knit, keeps you warm on cold mornings even when damp'),
	('product', 'clothing', 129.00, 'Down jacket for winter walks, packs into its own pocket and weighs less than a book'),
	('product', 'clothing', 34.50, 'Linen shirt that stays cool on the hottest day of the summer'),
	('product', 'clothing', 18.00, 'Thick hiking socks with a cushioned heel, knitted without a seam'),
	('product', 'shoes', 119.00, 'White running shoes with a springy sole for long distances on asphalt'),
	('product', 'shoes', 149.00, 'Waterproof leather boots with a deep tread for muddy mountain paths'),
	('product', 'shoes', 59.00, 'Canvas sneakers for every day, washable, in six colours'),
	('product', 'camping', 219.00, 'Two-person tent that one person can pitch in three minutes, even in the rain'),
	('product', 'camping', 75.00, 'Sleeping bag rated for nights down to minus five degrees'),
	('product', 'camping', 39.00, 'Gas stove the size of a fist, boils a litre of water in four minutes'),
	('product', 'camping', 24.90, 'Rechargeable headlamp with a red mode that does not wake the others'),
	('product', 'camping', 29.00, 'Steel bottle that keeps tea hot from breakfast until the summit'),
	('product', 'kitchen', 64.00, 'Cast iron pan, seasoned at the foundry, for searing steak or baking bread'),
	('product', 'kitchen', 42.00, 'Chef''s knife with a twenty centimetre blade, sharp enough to slice a ripe tomato'),
	('product', 'kitchen', 179.00, 'Burr grinder for coffee, forty settings from espresso to French press'),
	('product', 'kitchen', 22.00, 'Glass jars with airtight lids for flour, rice and lentils'),
	('product', 'electronics', 199.00, 'Noise-cancelling headphones for travel, thirty hours on one charge'),
	('product', 'electronics', 89.00, 'Mechanical keyboard with quiet switches for a shared office'),
	('product', 'electronics', 49.00, 'Power bank that charges a phone four times, with two ports'),
	('product', 'electronics', 139.00, 'Small speaker that fills a room and survives a fall into the pool'),
	('product', 'garden', 16.50, 'Seeds for a bee-friendly meadow of forty wild flowers'),
	('product', 'garden', 54.00, 'Pruning shears that cut branches as thick as a thumb without effort'),
	('product', 'toys', 32.00, 'Wooden train set with a bridge and a tunnel for children from three years on'),
	('product', 'toys', 27.00, 'Jigsaw puzzle of the night sky, one thousand pieces');

INSERT INTO demo_text (kind, shelf, year, content) VALUES
	('book', 'science', 1859, 'On the Origin of Species: how natural selection shapes living things over generations'),
	('book', 'science', 1610, 'Sidereal Messenger: the moons of Jupiter and the mountains of the Moon, seen through a telescope'),
	('book', 'science', 1665, 'Micrographia: fleas, cork and snowflakes under the first microscopes, in large engravings'),
	('book', 'novel', 1851, 'Moby-Dick: a captain hunts the white whale that took his leg, and his crew pays for it'),
	('book', 'novel', 1813, 'Pride and Prejudice: two proud people misjudge each other and fall in love'),
	('book', 'novel', 1818, 'Frankenstein: a student gives life to a creature and flees from what he has made'),
	('book', 'novel', 1897, 'Dracula: letters and diaries tell of a count who drinks blood and comes to London by ship'),
	('book', 'novel', 1870, 'Twenty Thousand Leagues Under the Sea: a voyage in a submarine with a captain who hates the land'),
	('book', 'children', 1865, 'Alice''s Adventures in Wonderland: a girl follows a rabbit into a world of cards and riddles'),
	('book', 'children', 1883, 'Treasure Island: a boy, a map and a one-legged cook on a ship full of pirates'),
	('book', 'poetry', 1855, 'Leaves of Grass: long free verses about the body, the soul and an open country'),
	('book', 'travel', 1869, 'The Innocents Abroad: an American makes fun of himself and of Europe on a steamship tour'),
	('book', 'philosophy', 1854, 'Walden: two years alone in a hut by a pond, on what one can do without'),
	('book', 'cooking', 1861, 'Book of Household Management: recipes, budgets and advice for running a large kitchen'),
	('book', 'history', 1776, 'The Decline and Fall of the Roman Empire: how the greatest state of antiquity came apart'),
	('book', 'economics', 1776, 'The Wealth of Nations: why the division of labour and free trade make countries rich');

SELECT FROM vw_create_collection('demo', 'Goods of a small shop, books of a library and drawings, to try searches on');

SELECT count(*) FROM vw_index_items('demo',
	texts => (SELECT array_agg(t.content ORDER BY t.n) FROM demo_text t),
	metadata => (SELECT array_agg(jsonb_strip_nulls(jsonb_build_object(
		'kind', t.kind, 'shelf', t.shelf, 'price', t.price, 'year', t.year)) ORDER BY t.n) FROM demo_text t));

COMMIT;

\endif
