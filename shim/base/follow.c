/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file's links are what its path leads through: directories, names in them where it is the name
 * that may change, and the file itself. An event at one of them has the path walked and the watches
 * set anew. A plain directory above is watched for its own moving only: what else happens in a busy
 * one, as /etc or /tmp, wakes nobody.
 */
#include "base/follow.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>

#include "base/arena.h"
#include "base/say.h"
#include "base/trail.h"

#define NAME_EVENTS (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR)
#define SELF_EVENTS (IN_MOVE_SELF | IN_DELETE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW)
#define FILE_EVENTS (IN_CLOSE_WRITE | IN_ATTRIB)

struct link {
    struct link *next;
    int watch;
    uint32_t events;
    const char *path; /* of what is watched */
    const char *name; /* in the watched directory; NULL: what is watched itself */
};

enum change {
    NO_CHANGE,
    WRITING, /* it was created at `created`: that its writer has closed it will be told */
    LATER,   /* once it has been so for a while */
    NOW,
};

struct followed {
    struct followed *next;
    char *path; /* absolute */
    follow_fn *changed;
    void *cookie;

    struct arena arena; /* of the links */
    struct link *links; /* the last first */
    enum change change;
    const struct link *created;
    bool kept_open; /* by its writer: nobody waits for its being closed */
    bool touched;   /* an event has come since the links were made */
    int64_t due;    /* of LATER, in milliseconds; 0: to be set */
};

struct follow {
    int fd;
    struct followed *first;
    bool warned;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- links --------------------------------------------------------------------------------- */

struct linking {
    struct follow *follow;
    struct followed *followed;
    struct arena *arena;
    struct link *links;
    bool memory_out;
};

/* What has just gone is told by what leads to it. */
static void warn_once(struct linking *linking, const char *path, int error)
{
    if (error == ENOENT || error == ENOTDIR || linking->follow->warned)
        return;
    say_warn(
        "%s cannot be watched: %s; changes of %s may go unnoticed until SIGHUP (for \"No space "
        "left\", raise fs.inotify.max_user_watches)",
        path, strerror(error), linking->followed->path);
    linking->follow->warned = true;
}

/* Watches of one directory add up: several links may lead through it. False: `path` leads to no
 * such thing. */
static bool add_link(struct linking *linking, const char *path, uint32_t events, const char *name)
{
    int watch = inotify_add_watch(linking->follow->fd, path, events | IN_MASK_ADD);
    if (watch < 0) {
        int error = errno;
        warn_once(linking, path, error);
        return error != ENOENT && error != ENOTDIR;
    }
    struct link *link = arena_alloc(linking->arena, sizeof(*link));
    const char *dir = arena_str(linking->arena, str_of(path)).data;
    const char *copy = name ? arena_str(linking->arena, str_of(name)).data : NULL;
    if (!link || !dir || (name && !copy)) {
        linking->memory_out = true;
        return true;
    }
    *link = (struct link){
        .next = linking->links, .watch = watch, .events = events, .path = dir, .name = copy};
    linking->links = link;
    return true;
}

static bool add_directory(void *cookie, const char *path)
{
    return add_link(cookie, path, SELF_EVENTS, NULL);
}

/* That a file is written concerns the directory that it lies in, not those above. */
static void add_name(void *cookie, const char *dir, const char *name, bool last)
{
    add_link(cookie, dir, NAME_EVENTS | (last ? IN_CLOSE_WRITE : 0), name);
}

/* All that some link wants to hear from a watch; 0: there is none. */
static uint32_t wanted(const struct follow *follow, int watch)
{
    uint32_t events = 0;
    for (const struct followed *followed = follow->first; followed; followed = followed->next) {
        for (const struct link *link = followed->links; link; link = link->next)
            events |= link->watch == watch ? link->events : 0;
    }
    return events;
}

/* Watches hear of no more than is wanted now: a name that was missing is there, a link is none any
 * more. Where the path leads elsewhere by now, an event has been queued that says so. */
static void narrow(struct follow *follow, const struct followed *followed)
{
    for (const struct link *link = followed->links; link; link = link->next) {
        int watch = inotify_add_watch(follow->fd, link->path, wanted(follow, link->watch));
        if (watch >= 0 && watch != link->watch && !wanted(follow, watch))
            inotify_rm_watch(follow->fd, watch);
    }
}

static bool is_same_name(const struct link *a, const struct link *b)
{
    return a && b && a->watch == b->watch && a->name && b->name && strcmp(a->name, b->name) == 0;
}

/* The name that the path ends in when it leads to a file: behind the file itself. */
static const struct link *last_name(const struct link *links)
{
    return links && !links->name ? links->next : links;
}

/* The file at the end was created, not linked or moved there, and nobody has closed it yet. */
static bool is_being_written(const struct followed *followed, const struct linking *linking,
                             const struct trail_end *end)
{
    return followed->change == WRITING && end->found && S_ISREG(end->info.st_mode) &&
           end->info.st_nlink == 1 && is_same_name(followed->created, last_name(linking->links));
}

/* After the walk: what a change has come to. */
static void weigh(struct followed *followed, const struct linking *linking,
                  const struct trail_end *end)
{
    if (linking->memory_out || !end->found) {
        if (followed->change != LATER)
            followed->due = 0;
        followed->change = LATER;
    } else if (is_being_written(followed, linking, end)) {
        followed->created = last_name(linking->links);
    } else if (followed->change == WRITING) {
        followed->change = NOW;
    }
}

/* Walks the path and sets the watches; those that no path leads through any more go. */
static void find_links(struct follow *follow, struct followed *followed)
{
    struct arena before = followed->arena, arena = {0};
    struct linking linking = {.follow = follow, .followed = followed, .arena = &arena};
    struct trail_end end;
    const struct link *old = followed->links;
    trail_walk(
        followed->path,
        &(struct trail_watch){.directory = add_directory, .name = add_name, .cookie = &linking},
        &end);
    if (end.found)
        add_link(&linking, end.path, FILE_EVENTS, NULL);
    weigh(followed, &linking, &end);
    followed->links = linking.links;
    followed->arena = arena;
    followed->touched = false;
    for (; old; old = old->next) {
        if (!wanted(follow, old->watch))
            inotify_rm_watch(follow->fd, old->watch); /* it may have ended by itself */
    }
    narrow(follow, followed);
    arena_free(&before);
}

/* --- events -------------------------------------------------------------------------------- */

static void note(struct followed *followed, const struct link *link, uint32_t mask)
{
    bool by_name = link->name != NULL;
    followed->touched = true;
    if (by_name && (mask & IN_CREATE) && !(mask & IN_ISDIR)) {
        followed->change = followed->kept_open ? NOW : WRITING;
        followed->created = link;
    } else if ((mask & (IN_CLOSE_WRITE | IN_MOVE_SELF | IN_DELETE_SELF)) ||
               (by_name && (mask & (IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)))) {
        followed->change = NOW;
    } else if (followed->change == NO_CHANGE) {
        /* A directory was made, a file's mode changed or its watch ended. */
        followed->change = LATER;
        followed->due = 0;
    }
}

static void note_all(struct follow *follow)
{
    for (struct followed *followed = follow->first; followed; followed = followed->next) {
        followed->touched = true;
        followed->change = NOW;
    }
}

static void take_event(struct follow *follow, const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW) {
        note_all(follow);
        return;
    }
    for (struct followed *followed = follow->first; followed; followed = followed->next) {
        for (const struct link *link = followed->links; link; link = link->next) {
            if (link->watch != event->wd)
                continue;
            if (event->len == 0 || (link->name && strcmp(link->name, event->name) == 0))
                note(followed, link, event->mask);
        }
    }
}

static void take_events(struct follow *follow)
{
    char buf[8192] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t got;
    while ((got = read(follow->fd, buf, sizeof(buf))) > 0) {
        for (const char *at = buf; at < buf + got;) {
            const struct inotify_event *event = (const struct inotify_event *)at;
            take_event(follow, event);
            at += sizeof(*event) + event->len;
        }
    }
}

/* Whether it is time to tell. */
static bool is_due(struct followed *followed)
{
    if (followed->change == LATER && !followed->due)
        followed->due = now_ms() + FOLLOW_SETTLE_MS;
    return followed->change == NOW || (followed->change == LATER && now_ms() >= followed->due);
}

/* --- the house of it ----------------------------------------------------------------------- */

int follow_create(struct follow **follow, struct err *err)
{
    OWNED(own_follow) struct follow *made = calloc(1, sizeof(*made));
    if (!made)
        return err_set(err, "inotify: out of memory");
    made->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (made->fd < 0 && errno == EMFILE)
        return err_set_errno(err, errno,
                             "inotify (raise fs.inotify.max_user_instances, or the limit of "
                             "open files)");
    if (made->fd < 0)
        return err_set_errno(err, errno, "inotify");
    *follow = steal_ptr(&made);
    return 0;
}

static char *make_absolute(const char *path)
{
    char dir[PATH_MAX], *absolute;
    if (path[0] == '/')
        return strdup(path);
    if (!getcwd(dir, sizeof(dir)) || asprintf(&absolute, "%s/%s", dir, path) < 0)
        return NULL;
    return absolute;
}

static int add(struct follow *follow, const char *path, bool kept_open, follow_fn *changed,
               void *cookie, struct err *err)
{
    OWNED_MEM struct followed *made = calloc(1, sizeof(*made));
    char *absolute = make_absolute(path);
    if (!made || !absolute) {
        free(absolute);
        return err_set(err, "%s cannot be followed: out of memory, or no working directory", path);
    }
    *made = (struct followed){.path = absolute,
                              .next = follow->first,
                              .changed = changed,
                              .cookie = cookie,
                              .kept_open = kept_open,
                              .touched = true,
                              .change = NOW};
    follow->first = steal_ptr(&made);
    return 0;
}

int follow_add(struct follow *follow, const char *path, follow_fn *changed, void *cookie,
               struct err *err)
{
    return add(follow, path, false, changed, cookie, err);
}

int follow_add_open(struct follow *follow, const char *path, follow_fn *changed, void *cookie,
                    struct err *err)
{
    return add(follow, path, true, changed, cookie, err);
}

int follow_fd(const struct follow *follow)
{
    return follow->fd;
}

int follow_timeout(const struct follow *follow)
{
    int64_t soonest = INT64_MAX;
    for (const struct followed *followed = follow->first; followed; followed = followed->next) {
        if (followed->change == NOW)
            return 0;
        if (followed->change == LATER && followed->due < soonest)
            soonest = followed->due;
    }
    if (soonest == INT64_MAX)
        return -1;
    int64_t left = soonest - now_ms();
    return left < 0 ? 0 : left > FOLLOW_SETTLE_MS ? FOLLOW_SETTLE_MS : (int)left;
}

void follow_dispatch(struct follow *follow)
{
    take_events(follow);
    for (struct followed *followed = follow->first; followed; followed = followed->next) {
        if (followed->touched)
            find_links(follow, followed);
        if (!is_due(followed))
            continue;
        followed->change = NO_CHANGE;
        followed->changed(followed->cookie);
    }
}

void follow_destroy(struct follow *follow)
{
    if (!follow)
        return;
    while (follow->first) {
        OWNED_MEM struct followed *followed = follow->first;
        follow->first = followed->next;
        arena_free(&followed->arena);
        free(followed->path);
    }
    own_fd(&follow->fd);
    free(follow);
}
