/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: posts from other threads, timers, stopping. */
#include <criterion/criterion.h>
#include <pthread.h>

#include "gate/loop.h"

#define POSTS 10000

struct counter {
    struct loop_op op;
    struct loop *loop;
    pthread_t thread;
    int left; /* posts to go */
};

static int running; /* threads that still post */

static struct loop *new_loop(void)
{
    grpc_init();
    struct loop *loop = NULL;
    struct err err;
    cr_assert_eq(loop_create(&loop, &err), 0, "%s", err.text);
    return loop;
}

static void end_loop(struct loop *loop)
{
    loop_destroy(loop);
    grpc_shutdown();
}

/* On the loop's thread: an operation may be posted again from its own completion. */
static void count(struct loop_op *op, bool ok)
{
    struct counter *counter = container_of(op, struct counter, op);
    cr_assert_not(ok);
    if (--counter->left > 0)
        loop_post(counter->loop, op);
    else if (--running == 0)
        loop_stop(counter->loop);
}

static void *post_first(void *cookie)
{
    struct counter *counter = cookie;
    loop_post(counter->loop, &counter->op);
    return NULL;
}

Test(loop, runs_each_post_once, .timeout = 60)
{
    struct loop *loop = new_loop();
    struct counter counters[4];
    running = 4;
    for (int i = 0; i < 4; i++) {
        counters[i] = (struct counter){.op = {.done = count}, .loop = loop, .left = POSTS};
        pthread_create(&counters[i].thread, NULL, post_first, &counters[i]);
    }
    loop_run(loop);
    for (int i = 0; i < 4; i++) {
        pthread_join(counters[i].thread, NULL);
        cr_assert_eq(counters[i].left, 0);
    }
    end_loop(loop);
}

static int order[3], fired;
static struct loop_op first, slow;
static struct counter timer;

static void note(struct loop_op *op, bool ok)
{
    (void)ok;
    order[fired++] = op == &first ? 1 : 3;
}

static void note_and_stop(struct loop_op *op, bool ok)
{
    (void)op;
    (void)ok;
    order[fired++] = 2;
    loop_stop(timer.loop);
}

/* A timer that still waits at loop_stop() does not hold the loop up: were it not so, this test
 * would take an hour. */
Test(loop, ends_timers_when_it_stops, .timeout = 60)
{
    timer = (struct counter){.op = {.done = note_and_stop}, .loop = new_loop()};
    first.done = note;
    slow.done = note;
    loop_after(timer.loop, &slow, 3600 * 1000);
    loop_post(timer.loop, &first);
    loop_after(timer.loop, &timer.op, 20);
    loop_run(timer.loop);
    cr_assert_eq(fired, 3);
    cr_assert_eq(order[0], 1);
    cr_assert_eq(order[1], 2);
    cr_assert_eq(order[2], 3);
    end_loop(timer.loop);
}
