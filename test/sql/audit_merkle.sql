-- Merkle trees are those of RFC 6962 and RFC 9162: the published vectors hold, every proof of small trees verifies, no
-- proof verifies for anything but what it proves, and nothing malformed raises.
\set ECHO none
\getenv here PG_ABS_SRCDIR
\i :here/helper/cases.sql
\set ECHO all

-- The vectors of RFC 6962's reference implementation: eight entries, the roots over the first n, paths and proofs.
CREATE TEMP TABLE entry (n int, data bytea);
INSERT INTO entry VALUES (1, ''), (2, '\x00'), (3, '\x10'), (4, '\x2021'), (5, '\x3031'), (6, '\x40414243'), (7, '\x5051525354555657'), (8, '\x606162636465666768696a6b6c6d6e6f');
CREATE TEMP TABLE root (n int, hash bytea);
INSERT INTO root VALUES (0, '\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'),
	(1, '\x6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'), (2, '\xfac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'),
	(3, '\xaeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77'), (4, '\xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7'),
	(5, '\x4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4'), (6, '\x76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef'),
	(7, '\xddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c'), (8, '\x5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');
SELECT r.n, steward.merkle_root(ARRAY(SELECT e.data FROM entry e WHERE e.n <= r.n ORDER BY e.n)) = r.hash AS root FROM root r ORDER BY 1;
SELECT steward.merkle_leaf_hash('') = r.hash AS leaf, steward.merkle_node_hash(steward.merkle_leaf_hash(''), steward.merkle_leaf_hash('\x00')) = s.hash AS node FROM root r, root s WHERE r.n = 1 AND s.n = 2;
CREATE TEMP TABLE path (leaf numeric, size numeric, proof bytea[]);
INSERT INTO path VALUES (0, 1, '{}'),
	(0, 8, ARRAY['\x96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7', '\x5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e', '\x6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4']::bytea[]),
	(5, 8, ARRAY['\xbc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b', '\xca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0', '\xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7']::bytea[]),
	(2, 3, ARRAY['\xfac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']::bytea[]),
	(1, 5, ARRAY['\x6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d', '\x5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e', '\xbc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b']::bytea[]);
SELECT p.leaf, p.size, steward.verify_inclusion(p.leaf, p.size, steward.merkle_leaf_hash(e.data), p.proof, r.hash) AS verified
FROM path p JOIN entry e ON e.n = p.leaf + 1 JOIN root r ON r.n = p.size ORDER BY 2, 1;
CREATE TEMP TABLE growth (size1 numeric, size2 numeric, proof bytea[]);
INSERT INTO growth VALUES (1, 1, '{}'), (1, 8, (SELECT proof FROM path WHERE leaf = 0 AND size = 8)),
	(6, 8, ARRAY['\x0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a', '\xca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0', '\xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7']::bytea[]),
	(2, 5, ARRAY['\x5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e', '\xbc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b']::bytea[]);
SELECT g.size1, g.size2, steward.verify_consistency(g.size1, g.size2, g.proof, r.hash, s.hash) AS verified FROM growth g JOIN root r ON r.n = g.size1 JOIN root s ON s.n = g.size2 ORDER BY 1, 2;

-- What a proof does not prove is false: another leaf, index, root, size (as far as the length of the path tells: the size is
-- bound to the root by the checkpoint that names both), a proof that is longer, shorter or altered.
CREATE TEMP VIEW claim AS SELECT p.leaf, p.size, steward.merkle_leaf_hash(e.data) AS hash, p.proof, r.hash AS root FROM path p JOIN entry e ON e.n = p.leaf + 1 JOIN root r ON r.n = p.size;
SELECT count(*) FILTER (WHERE steward.verify_inclusion(i, c.size, c.hash, c.proof, c.root)) AS index, count(*) AS tried FROM claim c, generate_series(0, 40) i WHERE i <> c.leaf;
SELECT count(*) FILTER (WHERE steward.verify_inclusion(c.leaf, s, c.hash, c.proof, c.root)) AS size, count(*) AS tried FROM claim c, generate_series(0, 40) s WHERE s NOT BETWEEN (1 << cardinality(c.proof)) / 2 + 1 AND 1 << cardinality(c.proof) AND s <> c.size;
SELECT count(*) FILTER (WHERE steward.verify_inclusion(c.leaf, c.size, set_byte(c.hash, b, get_byte(c.hash, b) # 1), c.proof, c.root)) AS leaf,
	count(*) FILTER (WHERE steward.verify_inclusion(c.leaf, c.size, c.hash, c.proof, set_byte(c.root, b, get_byte(c.root, b) # 128))) AS root, count(*) AS tried FROM claim c, generate_series(0, 31) b;
SELECT count(*) FILTER (WHERE steward.verify_inclusion(c.leaf, c.size, c.hash, c.proof || c.hash, c.root)) AS longer, count(*) FILTER (WHERE steward.verify_inclusion(c.leaf, c.size, c.hash, c.hash || c.proof, c.root)) AS longer_before,
	count(*) FILTER (WHERE c.proof <> '{}' AND steward.verify_inclusion(c.leaf, c.size, c.hash, trim_array(c.proof, 1), c.root)) AS shorter, count(*) AS tried FROM claim c WHERE c.proof <> '{}';
SELECT count(*) FILTER (WHERE steward.verify_consistency(a, b, g.proof, r.hash, s.hash)) AS sizes, count(*) AS tried FROM growth g JOIN root r ON r.n = g.size1 JOIN root s ON s.n = g.size2, generate_series(0, 20) a, generate_series(0, 40) b WHERE g.proof <> '{}' AND (a > b OR a = 0 OR a = b);
SELECT count(*) FILTER (WHERE steward.verify_consistency(g.size1, g.size2, g.proof, set_byte(r.hash, b, get_byte(r.hash, b) # 1), s.hash)) AS root1,
	count(*) FILTER (WHERE steward.verify_consistency(g.size1, g.size2, g.proof, r.hash, set_byte(s.hash, b, get_byte(s.hash, b) # 1))) AS root2 FROM growth g JOIN root r ON r.n = g.size1 JOIN root s ON s.n = g.size2, generate_series(0, 31) b;
-- A leaf is not a node: the contents of a node do not pass for a leaf.
SELECT steward.verify_inclusion(0, 1, steward.merkle_node_hash(a, b), '{}', steward.merkle_leaf_hash(a || b)) AS passes FROM (SELECT steward.merkle_leaf_hash('a') AS a, steward.merkle_leaf_hash('b') AS b) x;

-- Every proof of every tree up to 20 leaves, by the definition of RFC 6962 written down once more.
CREATE FUNCTION pg_temp.mth(d bytea[]) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE n int := cardinality(d); k int := 1;
BEGIN
	IF n = 1 THEN RETURN sha256('\x00'::bytea || d[1]); END IF;
	WHILE k * 2 < n LOOP k := k * 2; END LOOP;
	RETURN sha256('\x01'::bytea || pg_temp.mth(d[1:k]) || pg_temp.mth(d[k + 1:n]));
END $$;
CREATE FUNCTION pg_temp.path(m int, d bytea[]) RETURNS bytea[] LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE n int := cardinality(d); k int := 1;
BEGIN
	IF n = 1 THEN RETURN '{}'; END IF;
	WHILE k * 2 < n LOOP k := k * 2; END LOOP;
	IF m < k THEN RETURN pg_temp.path(m, d[1:k]) || pg_temp.mth(d[k + 1:n]); END IF;
	RETURN pg_temp.path(m - k, d[k + 1:n]) || pg_temp.mth(d[1:k]);
END $$;
CREATE FUNCTION pg_temp.subproof(m int, d bytea[], whole boolean) RETURNS bytea[] LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE n int := cardinality(d); k int := 1;
BEGIN
	IF m = n THEN RETURN CASE WHEN whole THEN '{}' ELSE ARRAY[pg_temp.mth(d)] END; END IF;
	WHILE k * 2 < n LOOP k := k * 2; END LOOP;
	IF m <= k THEN RETURN pg_temp.subproof(m, d[1:k], whole) || pg_temp.mth(d[k + 1:n]); END IF;
	RETURN pg_temp.subproof(m - k, d[k + 1:n], false) || pg_temp.mth(d[1:k]);
END $$;
CREATE TEMP TABLE tree AS SELECT n, d, pg_temp.mth(d) AS root FROM (SELECT n, ARRAY(SELECT convert_to(g::text, 'UTF8') FROM generate_series(1, n) g) AS d FROM generate_series(1, 20) n) x;
SELECT bool_and(steward.merkle_root(d) = root) AS roots FROM tree;
SELECT count(*), bool_and(steward.verify_inclusion(m, n, steward.merkle_leaf_hash(d[m + 1]), pg_temp.path(m, d), root)) AS paths FROM tree, generate_series(0, n - 1) m;
SELECT count(*), bool_and(steward.verify_consistency(a.n, b.n, pg_temp.subproof(a.n, b.d, true), a.root, b.root)) AS proofs FROM tree a JOIN tree b ON a.n <= b.n;

-- Nothing raises: null, negative, fractions, beyond 2^64, NaN, the wrong lengths, other shapes of arrays.
\set h '''\\x6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d''::bytea'
CREATE TEMP TABLE odd (n serial, value numeric);
INSERT INTO odd (value) VALUES (NULL), (-1), (0.5), (0), (1), ('NaN'), ('Infinity'), ('-Infinity'), (18446744073709551615), (18446744073709551616), (1e100), (9223372036854775808);
SELECT count(*) AS tried, count(*) FILTER (WHERE r) AS verified, count(*) FILTER (WHERE r IS NULL) AS unknown FROM (
	SELECT steward.verify_inclusion(a.value, b.value, :h, p.proof, :h) AS r, a.value AS a, b.value AS b FROM odd a, odd b, (VALUES ('{}'::bytea[]), (ARRAY[:h]), (NULL), (ARRAY['\x00'::bytea]), (ARRAY[NULL::bytea]), (ARRAY[[:h, :h], [:h, :h]]), (array_fill(:h, ARRAY[64])), (array_fill(:h, ARRAY[1000]))) p(proof)) x WHERE (a, b) IS DISTINCT FROM (0, 1);
SELECT count(*) AS tried, count(*) FILTER (WHERE r) AS verified, count(*) FILTER (WHERE r IS NULL) AS unknown FROM (
	SELECT steward.verify_consistency(a.value, b.value, p.proof, :h, '\x00' || substr(:h, 2)) AS r FROM odd a, odd b, (VALUES ('{}'::bytea[]), (ARRAY[:h]), (NULL), (array_fill(:h, ARRAY[64])), (array_fill(:h, ARRAY[1000]))) p(proof)) x;
SELECT steward.verify_inclusion(0, 1, :h, '{}', :h) AS one, steward.verify_inclusion(0.00, 1.0, :h, '{}', :h) AS whole_numbers, steward.verify_inclusion(0, 1, NULL, '{}', :h) AS no_leaf, steward.verify_inclusion(0, 1, :h, '{}', '\x6e') AS short_root,
	steward.verify_consistency(0, 0, '{}', :h, :h) AS empty, steward.verify_consistency(0, 1, '{}', :h, :h) AS from_empty;
-- The largest tree: a path of 64 hashes computed by the rule verifies at 2^64 - 2.
WITH RECURSIVE up AS (SELECT 0 AS level, :h AS hash UNION ALL SELECT level + 1, steward.merkle_node_hash(hash, :h) FROM up WHERE level < 63)
SELECT steward.verify_inclusion(0, 18446744073709551615, :h, array_fill(:h, ARRAY[63]) || :h, steward.merkle_node_hash(hash, :h)) AS first_leaf_of_the_largest, steward.verify_inclusion(18446744073709551615, 18446744073709551615, :h, array_fill(:h, ARRAY[64]), hash) AS beyond FROM up WHERE level = 63;
SELECT a.* FROM (VALUES ($$SELECT steward.merkle_node_hash('\x00', '\x00')$$), ($$SELECT steward.merkle_root(ARRAY[NULL::bytea])$$)) b(s), pg_temp.attempt(s) a;
