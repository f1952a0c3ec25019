/* SPDX-License-Identifier: Apache-2.0 */
/* The table of sandboxes: a hash table with chains, each entry one block with its two texts. */
#include "gate/sandboxes.h"

/* A power of two, as every number of chains here is. */
#define CHAINS_AT_FIRST 64

struct sandbox {
    struct sandbox *next; /* in its chain */
    uint32_t hash;
    uint32_t generation; /* when it was put in last */
    uint32_t id_len, handler_len;
    bool dropped; /* while a list is read: not there, and it stays so */
    char text[];  /* id, handler */
};

struct sandboxes {
    struct sandbox **chains;
    size_t chain_count;
    size_t count, dropped; /* entries that are there; those that are not */
    uint32_t generation;   /* grows with each list */
    bool listing;
};

static struct str id_of(const struct sandbox *sandbox)
{
    return (struct str){sandbox->text, sandbox->id_len};
}

static struct str handler_of(const struct sandbox *sandbox)
{
    return (struct str){sandbox->text + sandbox->id_len, sandbox->handler_len};
}

/* FNV-1a. Ids are containerd's own random digits: nobody chooses them to collide. */
static uint32_t hash_of(struct str id)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < id.len; i++)
        hash = (hash ^ (unsigned char)id.data[i]) * 16777619u;
    return hash;
}

struct sandboxes *sandboxes_create(void)
{
    OWNED(own_sandboxes) struct sandboxes *made = calloc(1, sizeof(*made));
    if (!made)
        return NULL;
    made->chains = calloc(CHAINS_AT_FIRST, sizeof(struct sandbox *));
    if (!made->chains)
        return NULL;
    made->chain_count = CHAINS_AT_FIRST;
    return steal_ptr(&made);
}

void sandboxes_destroy(struct sandboxes *sandboxes)
{
    if (!sandboxes)
        return;
    for (size_t i = 0; i < sandboxes->chain_count; i++) {
        while (sandboxes->chains[i]) {
            struct sandbox *first = sandboxes->chains[i];
            sandboxes->chains[i] = first->next;
            free(first);
        }
    }
    free(sandboxes->chains);
    free(sandboxes);
}

/* Where the link to `id` stands, or the NULL at the end of its chain. */
static struct sandbox **link_of(const struct sandboxes *sandboxes, struct str id, uint32_t hash)
{
    struct sandbox **link = &sandboxes->chains[hash & (sandboxes->chain_count - 1)];
    while (*link && ((*link)->hash != hash || !str_eq(id_of(*link), id)))
        link = &(*link)->next;
    return link;
}

bool sandboxes_find(const struct sandboxes *sandboxes, struct str id, struct str *handler)
{
    const struct sandbox *found = *link_of(sandboxes, id, hash_of(id));
    if (!found || found->dropped)
        return false;
    *handler = handler_of(found);
    return true;
}

/* Twice the chains. Without memory they grow longer instead. */
static void grow(struct sandboxes *sandboxes)
{
    size_t count = sandboxes->chain_count * 2;
    struct sandbox **chains = calloc(count, sizeof(struct sandbox *));
    if (!chains)
        return;
    for (size_t i = 0; i < sandboxes->chain_count; i++) {
        while (sandboxes->chains[i]) {
            struct sandbox *moved = sandboxes->chains[i];
            sandboxes->chains[i] = moved->next;
            moved->next = chains[moved->hash & (count - 1)];
            chains[moved->hash & (count - 1)] = moved;
        }
    }
    free(sandboxes->chains);
    sandboxes->chains = chains;
    sandboxes->chain_count = count;
}

/* Takes the entry out of its chain. */
static void remove_at(struct sandboxes *sandboxes, struct sandbox **link)
{
    struct sandbox *gone = *link;
    *link = gone->next;
    --*(gone->dropped ? &sandboxes->dropped : &sandboxes->count);
    free(gone);
}

static struct sandbox *make_sandbox(struct str id, struct str handler, uint32_t hash)
{
    if (id.len > SANDBOX_TEXT_MAX || handler.len > SANDBOX_TEXT_MAX)
        return NULL;
    struct sandbox *made = malloc(sizeof(*made) + id.len + handler.len);
    if (!made)
        return NULL;
    *made = (struct sandbox){
        .hash = hash, .id_len = (uint32_t)id.len, .handler_len = (uint32_t)handler.len};
    memcpy(made->text, id.data, id.len);
    memcpy(made->text + id.len, handler.data, handler.len);
    return made;
}

static void add(struct sandboxes *sandboxes, struct str id, struct str handler, bool dropped)
{
    struct sandbox *made = make_sandbox(id, handler, hash_of(id));
    if (!made)
        return;
    if (sandboxes->count + sandboxes->dropped >= sandboxes->chain_count)
        grow(sandboxes);
    made->dropped = dropped;
    made->generation = sandboxes->generation;
    struct sandbox **first = &sandboxes->chains[made->hash & (sandboxes->chain_count - 1)];
    made->next = *first;
    *first = made;
    ++*(dropped ? &sandboxes->dropped : &sandboxes->count);
}

void sandboxes_put(struct sandboxes *sandboxes, struct str id, struct str handler)
{
    struct sandbox **link = link_of(sandboxes, id, hash_of(id));
    struct sandbox *known = *link;
    if (known && known->dropped)
        return;
    if (known && str_eq(handler_of(known), handler)) {
        known->generation = sandboxes->generation;
        return;
    }
    if (known)
        remove_at(sandboxes, link);
    add(sandboxes, id, handler, false);
}

void sandboxes_drop(struct sandboxes *sandboxes, struct str id)
{
    struct sandbox **link = link_of(sandboxes, id, hash_of(id));
    if (*link && (*link)->dropped)
        return;
    if (*link)
        remove_at(sandboxes, link);
    if (sandboxes->listing)
        add(sandboxes, id, STR(""), true);
}

void sandboxes_list_begin(struct sandboxes *sandboxes)
{
    sandboxes->generation++;
    sandboxes->listing = true;
}

void sandboxes_list_end(struct sandboxes *sandboxes, bool complete)
{
    sandboxes->listing = false;
    for (size_t i = 0; i < sandboxes->chain_count; i++) {
        struct sandbox **link = &sandboxes->chains[i];
        while (*link) {
            bool stale = complete && (*link)->generation != sandboxes->generation;
            if (stale || (*link)->dropped)
                remove_at(sandboxes, link);
            else
                link = &(*link)->next;
        }
    }
}

size_t sandboxes_count(const struct sandboxes *sandboxes)
{
    return sandboxes->count;
}

void sandboxes_each(const struct sandboxes *sandboxes,
                    void (*tell)(void *cookie, struct str handler), void *cookie)
{
    for (size_t i = 0; i < sandboxes->chain_count; i++) {
        for (const struct sandbox *sandbox = sandboxes->chains[i]; sandbox; sandbox = sandbox->next)
            if (!sandbox->dropped)
                tell(cookie, handler_of(sandbox));
    }
}
