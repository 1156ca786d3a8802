/*
 * sealing.c
 *		Private keys at rest: sealed with AES-256-GCM under a key-encryption key in a file outside the database.
 *
 * The file, named by steward.key_file, has one key a line.  The first one seals; all of them open, so that a key can be
 * exchanged without a moment at which something does not open: add the new one at the top on every node, seal anew with
 * reseal_keys(), and remove the old one once no backup needs it.  A sealed value says which key sealed it.
 *
 * The file is read at each use and its contents are wiped afterwards: signing is rare, and what is not in memory cannot
 * be in a core dump.  It is made by create_key_file() alone, never silently, for a key made anew would make everything
 * sealed unreadable.  Where it is absent, signing raises and everything else works.
 *
 * Form of a sealed value: 1 byte version, 8 bytes id of the key, 12 bytes nonce, ciphertext, 16 bytes tag.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "access/xact.h"
#include "common/string.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "port.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "audit/log.h"
#include "core/authority.h"
#include "core/health.h"
#include "core/plan.h"
#include "core/relation.h"
#include "core/sealing.h"
#include "core/secret.h"
#include "steward.h"

PG_FUNCTION_INFO_V1(steward_create_key_file);
PG_FUNCTION_INFO_V1(steward_reseal_keys);

#define SEAL_VERSION 1
#define KEY_LEN 32
#define KEY_ID_LEN 8
#define NONCE_LEN 12
#define TAG_LEN 16
#define SEAL_OVERHEAD (1 + KEY_ID_LEN + NONCE_LEN + TAG_LEN)

/* How a line of the key file begins; the key follows in hexadecimal digits. */
#define LINE_PREFIX "steward-key-1:"

/* Keys in a file, and its size: what is larger is some other file. */
#define MAX_KEYS 16
#define MAX_FILE 4096

/* steward.key_file */
static char *key_file = NULL;

/* A key-encryption key. */
typedef struct SealingKey
{
	unsigned char id[KEY_ID_LEN];
	unsigned char key[KEY_LEN];
} SealingKey;

/* Those of the file, in its order; wiped by whoever loaded them. */
typedef struct SealingKeys
{
	int n;
	SealingKey keys[MAX_KEYS];
} SealingKeys;

/* What is sealed; each capability that seals something adds its line. */
static const StewardSealedStore stores[] = {
	{"keys that sign audit logs", steward_reseal_log_keys},
	{NULL, NULL},
};

/* A relative path would be one inside the data directory, where base backups and standbys get the key along. */
static bool
check_key_file(char **newval, void **extra, GucSource source)
{
	if (**newval != '\0' && !is_absolute_path(*newval))
	{
		GUC_check_errdetail("The path must be absolute.");
		return false;
	}
	return true;
}

void
steward_sealing_init(void)
{
	DefineCustomStringVariable("steward.key_file", "File with the key under which private keys are sealed.",
							   "Outside the data directory; made by steward.create_key_file().", &key_file, "",
							   PGC_SIGHUP, GUC_SUPERUSER_ONLY, check_key_file, NULL, NULL);
}

/* Raises because the key file cannot be used; the path is not for everybody's eyes and goes to the server log only. */
static void
refuse_file(const char *why, int saved_errno)
{
	errno = saved_errno;
	ereport(ERROR,
			(errcode(ERRCODE_STEWARD_KEY_FILE_UNUSABLE), errmsg("the key file cannot be used"),
			 saved_errno ? errdetail("What is wrong: %s: %m.", why) : errdetail("What is wrong: %s.", why),
			 errdetail_log("File \"%s\": %s.", key_file, why),
			 errhint("A superuser names it with steward.key_file and makes it with steward.create_key_file().")));
}

/* Whether a file, or the folder it would be made in, lies inside the data directory; false if neither is there. */
static bool
inside_data_directory(const char *path)
{
	char folder[MAXPGPATH];
	char *resolved;
	char *data = realpath(DataDir, NULL);
	bool inside = false;

	strlcpy(folder, path, sizeof(folder));
	resolved = realpath(folder, NULL);
	if (resolved == NULL)
	{
		get_parent_directory(folder);
		resolved = realpath(folder, NULL);
	}
	if (resolved && data)
	{
		size_t len = strlen(data);

		inside = strncmp(resolved, data, len) == 0 && (resolved[len] == '\0' || resolved[len] == '/');
	}
	free(resolved);
	free(data);
	return inside;
}

/* Id of a key: tells keys apart and tells nothing about them. */
static void
identify_key(SealingKey *key)
{
	static const char domain[] = "steward-key-id-1";
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned char input[sizeof(domain) + KEY_LEN];

	memcpy(input, domain, sizeof(domain));
	memcpy(input + sizeof(domain), key->key, KEY_LEN);
	if (EVP_Digest(input, sizeof(input), hash, NULL, EVP_sha256(), NULL) != 1)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute SHA-256")));
	memcpy(key->id, hash, KEY_ID_LEN);
	explicit_bzero(input, sizeof(input));
}

/* Reads one line; false when it is no key. */
static bool
parse_line(const char *line, size_t len, SealingKey *key)
{
	size_t prefix = strlen(LINE_PREFIX);

	if (len != prefix + 2 * KEY_LEN || strncmp(line, LINE_PREFIX, prefix) != 0)
		return false;
	for (int i = 0; i < KEY_LEN; i++)
	{
		unsigned int byte = 0;

		for (int j = 0; j < 2; j++)
		{
			char c = line[prefix + 2 * i + j];

			if (c >= '0' && c <= '9')
				byte = byte << 4 | (unsigned int) (c - '0');
			else if (c >= 'a' && c <= 'f')
				byte = byte << 4 | (unsigned int) (c - 'a' + 10);
			else
				return false;
		}
		key->key[i] = (unsigned char) byte;
	}
	identify_key(key);
	return true;
}

/* Reads the keys from the text of the file; NULL, or what is wrong with it. */
static const char *
parse_keys(const char *text, SealingKeys *keys)
{
	keys->n = 0;
	while (*text)
	{
		size_t len = strcspn(text, "\r\n");

		if (len > 0 && text[0] != '#')
		{
			if (keys->n == MAX_KEYS)
				return "it has more than 16 keys";
			if (!parse_line(text, len, &keys->keys[keys->n]))
				return "it has a line that is no key";
			keys->n++;
		}
		text += len;
		text += strspn(text, "\r\n");
	}
	return keys->n > 0 ? NULL : "it has no key";
}

/* Loads the keys; NULL, or what is wrong, with errno or 0 in *saved_errno.  Whoever calls wipes them. */
static const char *
try_load_keys(SealingKeys *keys, int *saved_errno)
{
	char text[MAX_FILE + 1];
	struct stat st;
	const char *wrong = NULL;
	ssize_t got;
	int fd;

	*saved_errno = 0;
	keys->n = 0;
	if (key_file == NULL || key_file[0] == '\0')
		return "steward.key_file names none";
	fd = OpenTransientFile(key_file, O_RDONLY | PG_BINARY);
	if (fd < 0)
	{
		*saved_errno = errno;
		return "it cannot be opened";
	}
	if (fstat(fd, &st) != 0)
		wrong = "its state cannot be read";
	else if (!S_ISREG(st.st_mode))
		wrong = "it is no regular file";
	else if (st.st_uid != geteuid() && st.st_uid != 0)
		wrong = "it belongs neither to the server's user nor to root";
	else if (st.st_mode & (S_IRWXO | S_IWGRP | S_IXGRP))
		wrong = "others may read or write it: its mode must be 0600, or 0640 where it belongs to root";
	else if ((st.st_mode & S_IRGRP) && st.st_uid != 0)
		wrong = "its group may read it: its mode must be 0600";
	else if (inside_data_directory(key_file))
		wrong = "it lies in the data directory, and so in every base backup";
	else if (st.st_size > MAX_FILE)
		wrong = "it is too large";
	if (wrong == NULL)
	{
		got = read(fd, text, MAX_FILE);
		if (got < 0)
		{
			*saved_errno = errno;
			wrong = "it cannot be read";
		}
		else
		{
			text[got] = '\0';
			wrong = parse_keys(text, keys);
		}
		explicit_bzero(text, sizeof(text));
	}
	CloseTransientFile(fd);
	return wrong;
}

/* Loads the keys, or raises. */
static void
load_keys(SealingKeys *keys)
{
	int saved_errno;
	const char *wrong = try_load_keys(keys, &saved_errno);

	if (wrong)
	{
		explicit_bzero(keys, sizeof(*keys));
		refuse_file(wrong, saved_errno);
	}
}

/*
 * steward_sealing_available
 *		Whether this node has a key file that can be used: whether signing can work at all.
 */
bool
steward_sealing_available(void)
{
	SealingKeys keys;
	int saved_errno;
	bool available = try_load_keys(&keys, &saved_errno) == NULL;

	explicit_bzero(&keys, sizeof(keys));
	return available;
}

/* The bytes authenticated with a value: version, key id, organization, and both names with their lengths. */
static void
build_aad(StringInfo aad, const StewardSealedFor *what, const unsigned char *key_id)
{
	uint32 lengths[2] = {pg_hton32((uint32) strlen(what->key)), pg_hton32((uint32) strlen(what->algorithm))};

	initStringInfo(aad);
	appendStringInfoString(aad, "steward-sealed");
	appendStringInfoChar(aad, SEAL_VERSION);
	appendBinaryStringInfo(aad, (const char *) key_id, KEY_ID_LEN);
	appendBinaryStringInfo(aad, (const char *) what->org->data, UUID_LEN);
	appendBinaryStringInfo(aad, (const char *) &lengths[0], sizeof(uint32));
	appendStringInfoString(aad, what->key);
	appendBinaryStringInfo(aad, (const char *) &lengths[1], sizeof(uint32));
	appendStringInfoString(aad, what->algorithm);
}

/* AES-256-GCM in one call, either way; out has len bytes, tag TAG_LEN.  Whether it worked. */
static bool
aes_gcm(bool encrypt, const unsigned char *key, const unsigned char *nonce, StringInfo aad, const unsigned char *in,
		int len, unsigned char *out, unsigned char *tag)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;
	bool ok;

	ok = ctx != NULL && EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce, encrypt) == 1 &&
		 EVP_CipherUpdate(ctx, NULL, &n, (unsigned char *) aad->data, aad->len) == 1 &&
		 EVP_CipherUpdate(ctx, out, &n, in, len) == 1 &&
		 (encrypt || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag) == 1) &&
		 EVP_CipherFinal_ex(ctx, out + n, &n) == 1 &&
		 (!encrypt || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_LEN, tag) == 1);
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

/* Records that a key seals something here, so that health can say which node lacks it. */
static void
record_key(const unsigned char *id)
{
	static StewardPlan insert_key =
		STEWARD_PLAN("t", "INSERT INTO steward.sealing_key (fingerprint) SELECT $1 "
						  "WHERE NOT EXISTS (SELECT FROM steward.sealing_key k WHERE k.fingerprint = $1) "
						  "ON CONFLICT DO NOTHING");
	char hex[2 * KEY_ID_LEN + 1];
	Datum values[1];

	hex[hex_encode((const char *) id, KEY_ID_LEN, hex)] = '\0';
	values[0] = CStringGetTextDatum(hex);
	steward_run(&insert_key, STEWARD_TRANSACTION, values, NULL);
}

/* Seals under a given key. */
static bytea *
seal_with(const SealingKey *key, const StewardSealedFor *what, const unsigned char *secret, size_t len)
{
	bytea *sealed = palloc(VARHDRSZ + SEAL_OVERHEAD + len);
	unsigned char *at = (unsigned char *) VARDATA(sealed);
	StringInfoData aad;

	SET_VARSIZE(sealed, VARHDRSZ + SEAL_OVERHEAD + len);
	at[0] = SEAL_VERSION;
	memcpy(at + 1, key->id, KEY_ID_LEN);
	if (!pg_strong_random(at + 1 + KEY_ID_LEN, NONCE_LEN))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
	build_aad(&aad, what, key->id);
	if (!aes_gcm(true, key->key, at + 1 + KEY_ID_LEN, &aad, secret, (int) len, at + 1 + KEY_ID_LEN + NONCE_LEN,
				 at + 1 + KEY_ID_LEN + NONCE_LEN + len))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not seal a key")));
	pfree(aad.data);
	return sealed;
}

/*
 * steward_seal
 *		Seals a secret of at most STEWARD_SEAL_MAX bytes under the first key of the file; inside the bracket.
 *
 * The result lives in the current memory context.  Raises ST601 where there is no key file that can be used.
 */
bytea *
steward_seal(const StewardSealedFor *what, const unsigned char *secret, size_t len)
{
	SealingKeys keys;
	bytea *sealed = NULL;

	if (len > STEWARD_SEAL_MAX)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_VALUE_INVALID), errmsg("a key is too long to be sealed"),
						errdetail("It has %zu bytes; the longest has %d.", len, STEWARD_SEAL_MAX)));
	load_keys(&keys);
	PG_TRY();
	{
		record_key(keys.keys[0].id);
		sealed = seal_with(&keys.keys[0], what, secret, len);
	}
	PG_FINALLY();
	{
		explicit_bzero(&keys, sizeof(keys));
	}
	PG_END_TRY();
	return sealed;
}

/*
 * steward_unseal
 *		Opens a sealed value into secret, which has size bytes, and returns its length.  The caller wipes it.
 *
 * Raises ST601 without a key file, ST602 where the file lacks the key that sealed it, and ST603 when the value was
 * changed or belongs to something else.
 */
size_t
steward_unseal(const StewardSealedFor *what, const bytea *sealed, unsigned char *secret, size_t size)
{
	const unsigned char *at = (const unsigned char *) VARDATA_ANY(sealed);
	size_t total = VARSIZE_ANY_EXHDR(sealed);
	size_t len;
	SealingKeys keys;
	StringInfoData aad;
	const SealingKey *key = NULL;
	bool known = false;
	bool opened = false;

	if (total < SEAL_OVERHEAD || at[0] != SEAL_VERSION || total - SEAL_OVERHEAD > size)
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SEAL_BROKEN), errmsg("a sealed key is damaged")));
	len = total - SEAL_OVERHEAD;
	build_aad(&aad, what, at + 1);
	load_keys(&keys);
	for (int i = 0; i < keys.n; i++)
		if (memcmp(keys.keys[i].id, at + 1, KEY_ID_LEN) == 0)
			key = &keys.keys[i];
	if (key)
	{
		unsigned char tag[TAG_LEN];

		known = true;
		memcpy(tag, at + total - TAG_LEN, TAG_LEN);
		opened = aes_gcm(false, key->key, at + 1 + KEY_ID_LEN, &aad, at + 1 + KEY_ID_LEN + NONCE_LEN, (int) len, secret,
						 tag);
	}
	explicit_bzero(&keys, sizeof(keys));
	pfree(aad.data);
	if (!known)
		ereport(ERROR,
				(errcode(ERRCODE_STEWARD_SEAL_KEY_UNKNOWN), errmsg("the key file lacks the key that sealed this"),
				 errhint("Add the key with which it was sealed to the key file of this node; see steward.health.")));
	if (!opened)
	{
		explicit_bzero(secret, len);
		ereport(ERROR, (errcode(ERRCODE_STEWARD_SEAL_BROKEN), errmsg("a sealed key is damaged"),
						errdetail("It was changed, or it is in a row that it was not sealed for.")));
	}
	return len;
}

/*
 * steward_reseal
 *		The same secret sealed under the first key of the file; NULL when it is already.
 */
bytea *
steward_reseal(const StewardSealedFor *what, const bytea *sealed)
{
	unsigned char secret[STEWARD_SEAL_MAX];
	SealingKeys keys;
	bytea *again = NULL;
	size_t len;
	bool current;

	load_keys(&keys);
	current =
		VARSIZE_ANY_EXHDR(sealed) >= SEAL_OVERHEAD && memcmp(VARDATA_ANY(sealed) + 1, keys.keys[0].id, KEY_ID_LEN) == 0;
	explicit_bzero(&keys, sizeof(keys));
	if (current)
		return NULL;
	len = steward_unseal(what, sealed, secret, sizeof(secret));
	PG_TRY();
	{
		again = steward_seal(what, secret, len);
	}
	PG_FINALLY();
	{
		explicit_bzero(secret, sizeof(secret));
	}
	PG_END_TRY();
	return again;
}

/* Writes a file that did not exist, with one new key in it, and forces it to disk. */
static void
write_key_file(void)
{
	char line[sizeof(LINE_PREFIX) + 2 * KEY_LEN + 1];
	unsigned char key[KEY_LEN];
	char folder[MAXPGPATH];
	size_t len;
	int fd;
	bool written;

	if (!pg_strong_random(key, KEY_LEN))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
	strcpy(line, LINE_PREFIX);
	len = strlen(LINE_PREFIX);
	len += hex_encode((char *) key, KEY_LEN, line + len);
	line[len++] = '\n';

	fd = OpenTransientFilePerm(key_file, O_WRONLY | O_CREAT | O_EXCL | PG_BINARY, S_IRUSR | S_IWUSR);
	written = fd >= 0 && write(fd, line, len) == (ssize_t) len && pg_fsync(fd) == 0;
	explicit_bzero(line, sizeof(line));
	explicit_bzero(key, sizeof(key));
	if (!written)
	{
		int saved_errno = errno;

		if (fd < 0)
			refuse_file(saved_errno == EEXIST ? "there is one already" : "it cannot be made",
						saved_errno == EEXIST ? 0 : saved_errno);
		CloseTransientFile(fd);
		unlink(key_file);
		refuse_file("it cannot be written", saved_errno);
	}
	CloseTransientFile(fd);
	strlcpy(folder, key_file, sizeof(folder));
	get_parent_directory(folder);
	fsync_fname(folder, true);
}

/*
 * create_key_file() → fingerprint text
 *		Makes the file that steward.key_file names, with a new key, readable for the server's user alone; superuser only.
 *
 * Never writes over a file.  What it does is not taken back by a rollback.  Raises ST601 when there is a file already, or
 * it cannot be made, or it would lie in the data directory.
 */
Datum
steward_create_key_file(PG_FUNCTION_ARGS)
{
	SealingKeys keys;
	char hex[2 * KEY_ID_LEN + 1];

	if (!superuser())
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("only a superuser can make the key file")));
	if (key_file == NULL || key_file[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_STEWARD_KEY_FILE_UNUSABLE), errmsg("steward.key_file names no file"),
				 errhint("Set it in postgresql.conf to a path outside the data directory, reload, and repeat.")));
	if (inside_data_directory(key_file))
		refuse_file("it lies in the data directory, and so in every base backup", 0);
	write_key_file();
	load_keys(&keys);
	hex[hex_encode((char *) keys.keys[0].id, KEY_ID_LEN, hex)] = '\0';
	explicit_bzero(&keys, sizeof(keys));
	PG_RETURN_TEXT_P(cstring_to_text(hex));
}

/*
 * reseal_keys() → rows (what text, resealed bigint)
 *		Seals everything under the first key of the file that is sealed under another one; superuser only.
 *
 * A key is exchanged in three steps: add a new line at the top of the file on every node, call this, and remove the old
 * line once no node and no backup needs it.
 */
Datum
steward_reseal_keys(PG_FUNCTION_ARGS)
{
	static StewardPlan retire = STEWARD_PLAN("t", "UPDATE steward.sealing_key SET retired_at = now() "
												  "WHERE fingerprint <> $1 AND retired_at IS NULL");
	static StewardPlan unretire = STEWARD_PLAN("t", "UPDATE steward.sealing_key SET retired_at = NULL "
													"WHERE fingerprint = $1 AND retired_at IS NOT NULL");
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SealingKeys keys;
	char hex[2 * KEY_ID_LEN + 1];

	steward_require_setup();
	if (!superuser())
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("only a superuser can seal keys anew")));
	PreventCommandIfReadOnly("reseal_keys()");
	load_keys(&keys);
	hex[hex_encode((char *) keys.keys[0].id, KEY_ID_LEN, hex)] = '\0';
	explicit_bzero(&keys, sizeof(keys));
	InitMaterializedSRF(fcinfo, 0);
	STEWARD_AS_OWNER();
	{
		Datum fingerprint = CStringGetTextDatum(hex);

		for (const StewardSealedStore *store = stores; store->what; store++)
		{
			Datum values[2] = {CStringGetTextDatum(store->what), 0};
			bool nulls[2] = {false, false};

			CHECK_FOR_INTERRUPTS();
			values[1] = Int64GetDatum(store->reseal());
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
		steward_run(&retire, STEWARD_TRANSACTION, &fingerprint, NULL);
		steward_run(&unretire, STEWARD_TRANSACTION, &fingerprint, NULL);
	}
	STEWARD_AS_OWNER_END();
	return (Datum) 0;
}

/*
 * steward_check_sealing
 *		Health: whether this node has the keys under which something is sealed; works on a standby.
 */
void
steward_check_sealing(ReturnSetInfo *rsinfo)
{
	static StewardPlan find =
		STEWARD_PLAN("", "SELECT fingerprint FROM steward.sealing_key WHERE retired_at IS NULL ORDER BY fingerprint");
	uint64 rows = steward_run(&find, STEWARD_TRANSACTION, NULL, NULL);
	SealingKeys keys;
	int saved_errno;
	const char *wrong = try_load_keys(&keys, &saved_errno);
	StringInfoData lacking;

	initStringInfo(&lacking);
	for (uint64 i = 0; i < rows; i++)
	{
		char *fingerprint = steward_result_text(i, 1);
		bool found = false;

		for (int k = 0; k < keys.n; k++)
		{
			char hex[2 * KEY_ID_LEN + 1];

			hex[hex_encode((char *) keys.keys[k].id, KEY_ID_LEN, hex)] = '\0';
			found = found || strcmp(hex, fingerprint) == 0;
		}
		if (!found)
			appendStringInfo(&lacking, "%s%s", lacking.len ? ", " : "", fingerprint);
	}
	explicit_bzero(&keys, sizeof(keys));

	if (lacking.len > 0 && wrong)
		steward_health_answer(
			rsinfo, "key file", "warning",
			psprintf("nothing can be signed on this node: %s (it needs the key %s)", wrong, lacking.data),
			"SHOW steward.key_file; -- and bring that file to this node");
	else if (lacking.len > 0)
		steward_health_answer(rsinfo, "key file", "warning",
							  psprintf("it lacks a key under which something is sealed: %s", lacking.data),
							  "SHOW steward.key_file; -- and bring that key to this node's file");
	else if (wrong)
		steward_health_answer(rsinfo, "key file", "ok",
							  psprintf("none in use: %s; it is needed for signing alone", wrong), NULL);
	else
		steward_health_answer(rsinfo, "key file", "ok", "has the keys that it needs", NULL);
}
