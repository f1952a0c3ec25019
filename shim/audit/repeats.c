/* SPDX-License-Identifier: Apache-2.0 */
/* A table of refusals by their hash, and a list of them by age. */
#include "audit/repeats.h"

#include <openssl/evp.h>
#include <pthread.h>

#include "base/own.h"

#define BUCKETS 4096
#define TEXT_MOST ((size_t)256) /* bytes of each string that is kept */

/* The strings that the `repeated` record tells, in one block. */
enum {
    OF,
    METHOD,
    NAMESPACE,
    NAME,
    UID,
    CONTAINER,
    SANDBOX,
    REQUESTED,
    EFFECTIVE,
    RULE,
    MESSAGE,
    TEXT_COUNT
};

struct entry {
    struct entry *chained;       /* the next in its bucket */
    struct entry *older, *newer; /* by the time of the first */
    unsigned char key[REPEATS_KEY_SIZE];
    bool forgotten; /* the next one equal to it is written whole */
    uint64_t count;
    struct timespec first, last;
    bool has_peer, has_pod, has_container, has_handler;
    struct audit_peer peer;
    uint64_t request_id; /* of the first */
    enum verdict_reason reason;
    struct str texts[TEXT_COUNT];
    char block[];
};

struct repeats {
    pthread_mutex_t lock;
    uint32_t window_s;
    size_t count;
    struct entry *buckets[BUCKETS];
    struct entry *oldest, *newest;
    struct entry *taken; /* whose strings the last event borrows; the taker's own */
    struct pod_facts pod;
    struct container_facts container;
};

struct repeats *repeats_create(uint32_t window_s)
{
    struct repeats *repeats = calloc(1, sizeof(*repeats));
    if (!repeats)
        return NULL;
    pthread_mutex_init(&repeats->lock, NULL);
    repeats->window_s = window_s;
    return repeats;
}

/* --- the key ------------------------------------------------------------------------------- */

static void list_texts(const struct audit_event *event, struct str texts[TEXT_COUNT])
{
    const struct pod_facts *pod = event->pod;
    struct str none = STR("");
    texts[OF] = str_of(event->type);
    texts[METHOD] = event->method;
    texts[NAMESPACE] = pod ? pod->namespace : none;
    texts[NAME] = pod ? pod->name : none;
    texts[UID] = pod ? pod->uid : none;
    texts[CONTAINER] = event->container ? event->container->name : none;
    texts[SANDBOX] = event->sandbox_id;
    texts[REQUESTED] = event->handler_requested;
    texts[EFFECTIVE] = event->handler_effective;
    texts[RULE] = event->rule;
    texts[MESSAGE] = event->message;
}

static bool add_bytes(EVP_MD_CTX *hash, const void *bytes, size_t length)
{
    return length == 0 || EVP_DigestUpdate(hash, bytes, length);
}

/* With its length in front: two fields cannot be taken for two others. */
static bool add_text(EVP_MD_CTX *hash, struct str text)
{
    uint64_t length = text.len;
    return add_bytes(hash, &length, sizeof(length)) && add_bytes(hash, text.data, text.len);
}

static bool add_event(EVP_MD_CTX *hash, const struct audit_event *event)
{
    struct str texts[TEXT_COUNT];
    list_texts(event, texts);
    uint64_t reason = event->reason, uid = event->peer ? event->peer->uid : UINT64_MAX;
    struct str policy = str_of(event->policy ? policy_sha256(event->policy) : "");
    bool ok = add_bytes(hash, &reason, sizeof(reason)) && add_bytes(hash, &uid, sizeof(uid)) &&
              add_text(hash, policy);
    for (size_t i = 0; ok && i < TEXT_COUNT; i++)
        ok = add_text(hash, texts[i]);
    return ok;
}

static void own_hash(EVP_MD_CTX **hash)
{
    EVP_MD_CTX_free(*hash);
}

bool repeats_key(const struct audit_event *event, unsigned char key[REPEATS_KEY_SIZE])
{
    if (event->action != AUDIT_REFUSE)
        return false;
    OWNED(own_hash) EVP_MD_CTX *hash = EVP_MD_CTX_new();
    return hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) && add_event(hash, event) &&
           EVP_DigestFinal_ex(hash, key, NULL);
}

/* --- the table ----------------------------------------------------------------------------- */

static struct entry **bucket_of(struct repeats *repeats, const unsigned char *key)
{
    return &repeats->buckets[((size_t)key[0] << 8 | key[1]) % BUCKETS];
}

static struct entry *find(struct repeats *repeats, const unsigned char *key)
{
    struct entry *entry = *bucket_of(repeats, key);
    while (entry && memcmp(entry->key, key, REPEATS_KEY_SIZE) != 0)
        entry = entry->chained;
    return entry;
}

static void unlink_entry(struct repeats *repeats, struct entry *entry)
{
    struct entry **at = bucket_of(repeats, entry->key);
    while (*at != entry)
        at = &(*at)->chained;
    *at = entry->chained;
    *(entry->older ? &entry->older->newer : &repeats->oldest) = entry->newer;
    *(entry->newer ? &entry->newer->older : &repeats->newest) = entry->older;
    repeats->count--;
}

static void link_entry(struct repeats *repeats, struct entry *entry)
{
    struct entry **bucket = bucket_of(repeats, entry->key);
    entry->chained = *bucket;
    *bucket = entry;
    entry->older = repeats->newest;
    *(repeats->newest ? &repeats->newest->newer : &repeats->oldest) = entry;
    repeats->newest = entry;
    repeats->count++;
}

/* A clock that was put back does not keep a window open. */
static bool is_over(const struct repeats *repeats, const struct entry *entry,
                    const struct timespec *now)
{
    return now->tv_sec < entry->first.tv_sec ||
           now->tv_sec - entry->first.tv_sec >= (time_t)repeats->window_s;
}

static bool is_stale(const struct repeats *repeats, const struct entry *entry,
                     const struct timespec *now)
{
    return entry->forgotten || is_over(repeats, entry, now);
}

/* Drops old ones that have nothing to tell, as far as the oldest that has. */
static void drop_silent(struct repeats *repeats, const struct timespec *now)
{
    while (repeats->oldest && repeats->oldest->count == 0 &&
           (repeats->count >= REPEATS_MOST || is_stale(repeats, repeats->oldest, now))) {
        OWNED_MEM struct entry *entry = repeats->oldest;
        unlink_entry(repeats, entry);
    }
}

static struct entry *make_entry(const unsigned char *key, const struct audit_event *event,
                                const struct timespec *now)
{
    struct str texts[TEXT_COUNT];
    size_t size = 0;
    list_texts(event, texts);
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        texts[i].len = texts[i].len < TEXT_MOST ? texts[i].len : TEXT_MOST;
        size += texts[i].len;
    }
    struct entry *entry = malloc(sizeof(*entry) + size);
    if (!entry)
        return NULL;
    *entry = (struct entry){
        .first = *now,
        .last = *now,
        .has_peer = event->peer != NULL,
        .has_pod = event->pod != NULL,
        .has_container = event->container != NULL,
        .has_handler = event->has_handler,
        .request_id = event->request_id,
        .reason = event->reason,
    };
    memcpy(entry->key, key, REPEATS_KEY_SIZE);
    if (event->peer)
        entry->peer = *event->peer;
    char *at = entry->block;
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        if (texts[i].len)
            memcpy(at, texts[i].data, texts[i].len);
        entry->texts[i] = (struct str){.data = at, .len = texts[i].len};
        at += texts[i].len;
    }
    return entry;
}

static bool is_completion(const struct audit_event *event)
{
    return event->stage && strcmp(event->stage, "completed") == 0;
}

static bool count_one(struct repeats *repeats, const unsigned char *key,
                      const struct audit_event *event, const struct timespec *now)
{
    struct entry *entry = find(repeats, key);
    if (is_completion(event))
        return entry && entry->count > 0 && event->request_id != entry->request_id;
    if (entry && (entry->count > 0 || !is_stale(repeats, entry, now))) {
        entry->count++;
        entry->last = *now;
        return true;
    }
    if (entry) {
        unlink_entry(repeats, entry);
        free(entry);
    }
    drop_silent(repeats, now);
    struct entry *made = repeats->count < REPEATS_MOST ? make_entry(key, event, now) : NULL;
    if (made)
        link_entry(repeats, made);
    return false;
}

bool repeats_count(struct repeats *repeats, const unsigned char key[REPEATS_KEY_SIZE],
                   const struct audit_event *event, const struct timespec *now)
{
    pthread_mutex_lock(&repeats->lock);
    bool counted = count_one(repeats, key, event, now);
    pthread_mutex_unlock(&repeats->lock);
    return counted;
}

void repeats_forget(struct repeats *repeats, const unsigned char key[REPEATS_KEY_SIZE])
{
    pthread_mutex_lock(&repeats->lock);
    struct entry *entry = find(repeats, key);
    if (entry)
        entry->forgotten = true;
    pthread_mutex_unlock(&repeats->lock);
}

/* --- telling ------------------------------------------------------------------------------- */

static struct entry *next_due(struct repeats *repeats, const struct timespec *now, bool closing)
{
    drop_silent(repeats, now);
    struct entry *entry = repeats->oldest;
    while (entry && !(entry->count > 0 && (closing || is_stale(repeats, entry, now))))
        entry = entry->newer;
    if (entry)
        unlink_entry(repeats, entry);
    return entry;
}

static void fill_event(struct repeats *repeats, const struct entry *entry,
                       struct audit_event *event)
{
    const struct str *texts = entry->texts;
    repeats->pod =
        (struct pod_facts){.namespace = texts[NAMESPACE], .name = texts[NAME], .uid = texts[UID]};
    repeats->container = (struct container_facts){.name = texts[CONTAINER]};
    *event = (struct audit_event){
        .type = "repeated",
        .request_id = entry->request_id,
        .peer = entry->has_peer ? &entry->peer : NULL,
        .method = texts[METHOD],
        .pod = entry->has_pod ? &repeats->pod : NULL,
        .container = entry->has_container ? &repeats->container : NULL,
        .sandbox_id = texts[SANDBOX],
        .handler_requested = texts[REQUESTED],
        .handler_effective = texts[EFFECTIVE],
        .has_handler = entry->has_handler,
        .action = AUDIT_REFUSE,
        .reason = entry->reason,
        .rule = texts[RULE],
        .message = texts[MESSAGE],
        .repeated = {.of = texts[OF],
                     .count = entry->count,
                     .first = entry->first,
                     .last = entry->last},
    };
}

bool repeats_take(struct repeats *repeats, const struct timespec *now, bool closing,
                  struct audit_event *event)
{
    pthread_mutex_lock(&repeats->lock);
    struct entry *entry = next_due(repeats, now, closing);
    pthread_mutex_unlock(&repeats->lock);
    free(repeats->taken);
    repeats->taken = entry;
    if (entry)
        fill_event(repeats, entry, event);
    return entry != NULL;
}

void repeats_destroy(struct repeats *repeats)
{
    if (!repeats)
        return;
    while (repeats->oldest) {
        OWNED_MEM struct entry *entry = repeats->oldest;
        unlink_entry(repeats, entry);
    }
    free(repeats->taken);
    pthread_mutex_destroy(&repeats->lock);
    free(repeats);
}
