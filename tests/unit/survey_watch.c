/* SPDX-License-Identifier: Apache-2.0 */
/* Asking in front of a socket that takes connections and never says a word. */
#include <criterion/criterion.h>
#include <grpc/grpc.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/deadline.h"
#include "base/thread.h"
#include "survey/watch.h"

#define LONG_MS 60000

struct bed {
    char dir[64], socket[96];
    int fd;
};

static void set_up(struct bed *bed)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(bed->dir, "/tmp/crigate-survey-XXXXXX");
    cr_assert_not_null(mkdtemp(bed->dir));
    snprintf(bed->socket, sizeof(bed->socket), "%s/silent.sock", bed->dir);
    strcpy(address.sun_path, bed->socket);
    bed->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(bed->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    cr_assert_eq(listen(bed->fd, 16), 0);
    grpc_init();
}

static void tear_down(struct bed *bed)
{
    grpc_shutdown();
    close(bed->fd);
    unlink(bed->socket);
    cr_expect_eq(rmdir(bed->dir), 0);
}

static void *pull(void *cookie)
{
    sandbox_query_brake(cookie);
    return NULL;
}

Test(survey_watch, a_brake_ends_a_query, .timeout = 60)
{
    struct bed bed;
    set_up(&bed);
    struct sandbox_query_brake brake = SANDBOX_QUERY_BRAKE;
    const struct sandbox_query_options options = {
        .socket = bed.socket, .timeout_ms = LONG_MS, .brake = &brake};
    /* The first is braked at some moment of its life, the second before it. */
    for (int i = 0; i < 2; i++) {
        struct sandbox_query query;
        struct err err = {0};
        pthread_t thread;
        int64_t began = deadline_now_ms();
        cr_assert_eq(thread_start(&thread, "puller", pull, &brake, &err), 0);
        cr_expect_lt(sandbox_query_run(&options, &query, &err), 0);
        pthread_join(thread, NULL);
        cr_expect(strstr(err.text, "given up"), "%s", err.text);
        cr_expect_lt(deadline_now_ms() - began, LONG_MS / 2);
    }
    tear_down(&bed);
}

Test(survey_watch, ends_while_it_asks, .timeout = 60)
{
    struct bed bed;
    set_up(&bed);
    struct survey_watch *watch = NULL;
    struct survey_view view;
    struct err err = {0};
    cr_assert_eq(survey_watch_start(bed.socket, &watch, &err), 0, "%s", err.text);
    survey_watch_look(watch, &view);
    cr_expect_null(view.query);
    cr_expect_null(view.trouble);
    int taken = accept(bed.fd, NULL, NULL); /* it asks now */
    cr_expect_geq(taken, 0);
    int64_t began = deadline_now_ms();
    survey_watch_destroy(watch);
    cr_expect_lt(deadline_now_ms() - began, 4000, "it waited for an answer");
    close(taken);
    tear_down(&bed);
}

Test(survey_watch, says_why_it_knows_nothing, .timeout = 60)
{
    struct bed bed;
    set_up(&bed);
    struct survey_watch *watch = NULL;
    struct survey_view view;
    struct err err = {0};
    cr_assert_eq(survey_watch_start("/nonexistent/c.sock", &watch, &err), 0, "%s", err.text);
    do {
        survey_watch_look(watch, &view);
        sched_yield();
    } while (!view.trouble);
    cr_expect(strstr(view.trouble, "/nonexistent/c.sock does not exist"), "%s", view.trouble);
    cr_expect_null(view.query);
    survey_watch_destroy(watch);
    survey_watch_destroy(NULL);
    tear_down(&bed);
}
