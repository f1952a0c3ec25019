/* SPDX-License-Identifier: Apache-2.0 */
/* Resolves a path name by name, as the kernel does. */
#include "base/trail.h"

#include <stdio.h>
#include <string.h>

/* As in Linux: a path with more links is a loop. */
#define LINKS_MAX 40

struct walk {
    char dir[PATH_MAX];  /* where it has come to; "" is the root, no slash at the end */
    char rest[PATH_MAX]; /* what is still to be looked up */
    int links;
};

/* Cuts the first name off `rest`; false when there is none. */
static bool take_name(struct walk *walk, char name[NAME_MAX + 1])
{
    const char *from = walk->rest + strspn(walk->rest, "/");
    size_t len = strcspn(from, "/");
    if (len == 0 || len > NAME_MAX)
        return false;
    memcpy(name, from, len);
    name[len] = '\0';
    memmove(walk->rest, from + len, strlen(from + len) + 1);
    return true;
}

static bool is_last(const struct walk *walk)
{
    return walk->rest[strspn(walk->rest, "/")] == '\0';
}

/* To the parent, or to where it is: false for any other name. */
static bool step_by_dots(struct walk *walk, const char *name)
{
    if (strcmp(name, ".") == 0)
        return true;
    if (strcmp(name, "..") != 0)
        return false;
    char *slash = strrchr(walk->dir, '/');
    if (slash)
        *slash = '\0';
    return true;
}

static bool join(char path[PATH_MAX], const char *before, const char *after)
{
    int len = snprintf(path, PATH_MAX, "%s/%s", before, after);
    return len > 0 && len < PATH_MAX;
}

/* Puts what the link says in front of the rest. */
static bool follow_link(struct walk *walk, const char *path)
{
    char target[PATH_MAX], rest[PATH_MAX];
    ssize_t len = readlink(path, target, sizeof(target) - 1);
    if (len <= 0 || ++walk->links > LINKS_MAX)
        return false;
    target[len] = '\0';
    if (!join(rest, target, walk->rest))
        return false;
    strcpy(walk->rest, rest);
    if (target[0] == '/')
        walk->dir[0] = '\0';
    return true;
}

/* Whether `name` is a plain directory on the way, told as such. */
static bool enter(struct walk *walk, const struct trail_watch *watch, struct trail_end *end)
{
    if (is_last(walk) || lstat(end->path, &end->info) < 0 || !S_ISDIR(end->info.st_mode) ||
        !watch->directory(watch->cookie, end->path))
        return false;
    strcpy(walk->dir, end->path);
    return true;
}

/* Goes on to `name`. False: this is the end, and `end` tells of what kind. */
static bool step_to(struct walk *walk, const struct trail_watch *watch, const char *name,
                    struct trail_end *end)
{
    if (!join(end->path, walk->dir, name))
        return false;
    if (enter(walk, watch, end))
        return true;
    watch->name(watch->cookie, walk->dir[0] ? walk->dir : "/", name, is_last(walk));
    if (lstat(end->path, &end->info) < 0)
        return false;
    if (S_ISLNK(end->info.st_mode))
        return follow_link(walk, end->path);
    if (is_last(walk)) {
        end->found = true;
        return false;
    }
    return enter(walk, watch, end);
}

void trail_walk(const char *path, const struct trail_watch *watch, struct trail_end *end)
{
    struct walk walk = {.links = 0};
    char name[NAME_MAX + 1];
    end->found = false;
    if (strlen(path) >= sizeof(walk.rest))
        return;
    strcpy(walk.rest, path);
    while (take_name(&walk, name)) {
        if (!step_by_dots(&walk, name) && !step_to(&walk, watch, name, end))
            return;
    }
}
