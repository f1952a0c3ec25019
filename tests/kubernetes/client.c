/* SPDX-License-Identifier: Apache-2.0 */
/* The client below the watch: bounds that a watch would take minutes to reach, and server names. */
#include <criterion/criterion.h>
#include <sys/eventfd.h>

#include "bed.h"
#include "kubernetes/api_client.h"

static struct bed bed;
static struct api_access access_;
static struct api_client *client;
static int stop_fd = -1;

static void make(void)
{
    bed_make(&bed, API_FILES);
}

static void clean(void)
{
    if (client)
        api_client_close(client);
    api_access_free(&access_);
    close(stop_fd);
    bed_free(&bed);
}

TestSuite(client, .init = make, .fini = clean, .timeout = 60);

static void connect_client(void)
{
    struct err err = {0};
    stop_fd = eventfd(0, EFD_CLOEXEC);
    cr_assert_eq(api_access_read(bed.kubeconfig, &access_, &err), 0, "%s", err.text);
    cr_assert_eq(api_client_open(&access_, stop_fd, &client, &err), 0, "%s", err.text);
}

static bool on_bytes(void *cookie, struct str bytes)
{
    *(size_t *)cookie += bytes.len;
    return true;
}

static bool on_idle(void *cookie)
{
    (void)cookie;
    return true;
}

#define LIST "/api/v1/nodes?fieldSelector=metadata.name%3Dlab"
#define WATCH LIST "&watch=true&resourceVersion=1&timeoutSeconds=60"

static enum api_outcome get(const char *path, int64_t total_ms, int64_t silent_ms, size_t *bytes,
                            struct api_answer *answer, struct err *err)
{
    struct api_request request = {.path = path,
                                  .total_ms = total_ms,
                                  .silent_ms = silent_ms,
                                  .bytes = on_bytes,
                                  .idle = on_idle,
                                  .cookie = bytes};
    *bytes = 0;
    return api_client_get(client, &request, answer, err);
}

Test(client, ends_a_silent_watch)
{
    struct err err = {0};
    struct api_answer answer = {0};
    size_t bytes;
    connect_client();
    struct api_fault fault = {.kind = API_HANG_BODY};
    api_set_fault(bed.api, API_ON_WATCH, &fault);
    cr_expect_eq(get(WATCH, 20000, 300, &bytes, &answer, &err), API_SILENT, "%s", err.text);
    cr_expect_eq(bytes, 0);
    /* and the client is good for another request */
    cr_expect_eq(get(LIST, 20000, 20000, &bytes, &answer, &err), API_ANSWERED, "%s", err.text);
    cr_expect_eq(answer.status, 200);
    cr_expect_gt(bytes, 1000);
}

Test(client, fails_without_an_answer)
{
    struct err err = {0};
    struct api_answer answer = {0};
    size_t bytes;
    connect_client();
    struct api_fault fault = {.kind = API_HANG};
    api_set_fault(bed.api, API_ON_LIST, &fault);
    cr_expect_eq(get(LIST, 20000, 300, &bytes, &answer, &err), API_FAILED);
    cr_expect(strstr(err.text, "no answer within 1 s"), "%s", err.text);
}

Test(client, ends_a_drip_in_time)
{
    struct err err = {0};
    struct api_answer answer = {0};
    size_t bytes;
    connect_client();
    struct api_fault fault = {.kind = API_DRIP, .delay_ms = 10};
    api_set_fault(bed.api, API_ON_LIST, &fault);
    cr_expect_eq(get(LIST, 1000, 20000, &bytes, &answer, &err), API_FAILED);
    cr_expect(strstr(err.text, "timed out"), "%s", err.text);
}

Test(client, keeps_one_connection)
{
    struct err err = {0};
    struct api_answer answer = {0};
    size_t bytes;
    connect_client();
    for (int i = 0; i < 3; i++)
        cr_expect_eq(get(LIST, 20000, 20000, &bytes, &answer, &err), API_ANSWERED, "%s", err.text);
    cr_expect_eq(api_seen(bed.api).counts[API_CONNECTIONS], 1);
}

Test(client, tells_of_the_error_and_the_wait)
{
    struct err err = {0};
    struct api_answer answer = {0};
    size_t bytes;
    connect_client();
    struct api_fault fault = {.kind = API_STATUS, .status = 503, .retry_after_s = 7};
    api_set_fault(bed.api, API_ON_LIST, &fault);
    cr_expect_eq(get(LIST, 20000, 20000, &bytes, &answer, &err), API_ANSWERED, "%s", err.text);
    cr_expect_eq(answer.status, 503);
    cr_expect_eq(answer.retry_after, 7);
    cr_expect_eq(bytes, 0, "an error's body is no answer");
    cr_expect(memmem(answer.body.data, answer.body.len, "\"Status\"", 8));
}

Test(client, stops_at_once)
{
    struct err err = {0};
    struct api_answer answer = {0};
    size_t bytes;
    connect_client();
    cr_assert_eq(eventfd_write(stop_fd, 1), 0);
    cr_expect_eq(get(WATCH, 20000, 20000, &bytes, &answer, &err), API_STOPPED, "%s", err.text);
}

/* Adds a line behind the one that names the server. */
static void add_server_name(const char *name)
{
    OWNED_MEM char *text = bed_read(bed.kubeconfig);
    char *server = strstr(text, "server:"), changed[8192];
    char *line = server;
    while (line > text && line[-1] != '\n')
        line--;
    snprintf(changed, sizeof(changed), "%.*s%.*stls-server-name: %s\n%s", (int)(line - text), text,
             (int)(server - line), "                ", name, line);
    bed_write(bed.kubeconfig, changed);
}

Test(client, verifies_the_name_that_the_kubeconfig_gives)
{
    struct err err = {0};
    struct api_answer answer = {0};
    size_t bytes;
    api_present(bed.api, API_CERT_WRONG_HOST);
    add_server_name("elsewhere.example");
    connect_client();
    cr_expect_eq(get(LIST, 20000, 20000, &bytes, &answer, &err), API_ANSWERED, "%s", err.text);
    cr_expect_eq(answer.status, 200);
}

Test(client, verifies_no_other_name_than_that)
{
    struct err err = {0};
    struct api_answer answer = {0};
    size_t bytes;
    add_server_name("elsewhere.example");
    connect_client();
    cr_expect_eq(get(LIST, 20000, 20000, &bytes, &answer, &err), API_FAILED);
    cr_expect(strstr(err.text, "elsewhere.example"), "%s", err.text);
    cr_expect_eq(api_seen(bed.api).counts[API_REQUESTS], 0);
}
