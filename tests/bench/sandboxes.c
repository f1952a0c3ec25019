/* SPDX-License-Identifier: Apache-2.0 */
/* The table of 10,000 sandboxes: how long a lookup takes, and the memory. Exit 1 when a lookup
 * takes over 1 us, or the table more than 4 MiB. */
#include <malloc.h>
#include <stdio.h>
#include <time.h>

#include "gate/sandboxes.h"

#define SANDBOXES 10000
#define ROUNDS 21
#define MOST_NS 1000.0
#define MOST_BYTES ((size_t)4 * 1024 * 1024)

static char ids[2 * SANDBOXES][64]; /* the second half is not in the table */

static struct str id_at(size_t index)
{
    return (struct str){ids[index], sizeof(ids[index])};
}

/* Digits in no order, as containerd's are. */
static void make_ids(void)
{
    uint64_t state = 1;
    for (size_t i = 0; i < 2 * SANDBOXES; i++) {
        for (size_t j = 0; j < sizeof(ids[i]); j++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            ids[i][j] = "0123456789abcdef"[state >> 60];
        }
    }
}

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static size_t bytes_in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The median over the rounds, in ns a lookup, of SANDBOXES ids from `first` on. */
static double measure(const struct sandboxes *sandboxes, size_t first, size_t want)
{
    double rounds[ROUNDS];
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t found = 0;
        struct str handler;
        double began = now_ns();
        for (size_t i = 0; i < SANDBOXES; i++) {
            /* Not in the order in which they were put in. */
            if (sandboxes_find(sandboxes, id_at(first + i * 7919 % SANDBOXES), &handler))
                found++;
        }
        rounds[round] = (now_ns() - began) / SANDBOXES;
        if (found != want) {
            fprintf(stderr, "bench: %zu found, not %zu\n", found, want);
            exit(2);
        }
    }
    qsort(rounds, ROUNDS, sizeof(rounds[0]), compare);
    return rounds[ROUNDS / 2];
}

int main(void)
{
    make_ids();
    size_t before = bytes_in_use();
    OWNED(own_sandboxes) struct sandboxes *sandboxes = sandboxes_create();
    if (!sandboxes)
        return 2;
    double began = now_ns();
    for (size_t i = 0; i < SANDBOXES; i++)
        sandboxes_put(sandboxes, id_at(i), i % 2 ? STR("runc") : STR("runsc"));
    double put = (now_ns() - began) / SANDBOXES;
    size_t bytes = bytes_in_use() - before;
    double hit = measure(sandboxes, 0, SANDBOXES), miss = measure(sandboxes, SANDBOXES, 0);
    printf("%d sandboxes: %zu KiB; put %.0f ns, found %.0f ns, not found %.0f ns\n", SANDBOXES,
           bytes / 1024, put, hit, miss);
    return hit > MOST_NS || miss > MOST_NS || bytes > MOST_BYTES;
}
