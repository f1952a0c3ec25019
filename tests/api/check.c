/* SPDX-License-Identifier: Apache-2.0 */
/* The server for tests does what its header says, as curl sees it. */
#include <criterion/criterion.h>
#include <curl/curl.h>
#include <ftw.h>
#include <pthread.h>
#include <unistd.h>

#include "api.h"

#define OWN "?fieldSelector=metadata.name%3Dlab"
#define WATCH OWN "&watch=true&allowWatchBookmarks=true&resourceVersion="

static char dir[64];
static struct api *api;

static void start(void)
{
    strcpy(dir, "/tmp/crigate-api-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    api = api_start(dir, "lab");
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)info, (void)type, (void)ftw;
    return remove(path);
}

static void stop(void)
{
    api_stop(api);
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(api, .init = start, .fini = stop, .timeout = 120);

struct answer {
    char query[256];
    const char *token;
    bool has_certificate;
    long timeout_ms;
    CURLcode rc;
    long status, retry_after_s;
    char *body;
    size_t len;
    pthread_t thread;
};

static size_t keep(char *data, size_t size, size_t count, void *cookie)
{
    struct answer *answer = cookie;
    answer->body = realloc(answer->body, answer->len + size * count + 1);
    memcpy(answer->body + answer->len, data, size * count);
    answer->len += size * count;
    answer->body[answer->len] = '\0';
    return size * count;
}

static void *ask(void *cookie)
{
    struct answer *answer = cookie;
    char url[512], ca[96], pem[96], header[128];
    CURL *curl = curl_easy_init();
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/api/v1/nodes%s", api_port(api), answer->query);
    snprintf(ca, sizeof(ca), "%s/ca.crt", dir);
    snprintf(pem, sizeof(pem), "%s/client.pem", dir);
    snprintf(header, sizeof(header), "Authorization: Bearer %s", answer->token);
    struct curl_slist *headers = answer->token ? curl_slist_append(NULL, header) : NULL;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, answer->timeout_ms ? answer->timeout_ms : 30000L);
    if (answer->has_certificate) {
        curl_easy_setopt(curl, CURLOPT_SSLCERT, pem);
        curl_easy_setopt(curl, CURLOPT_SSLKEY, pem);
    }
    answer->rc = curl_easy_perform(curl);
    curl_off_t retry_after = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
    answer->retry_after_s = (long)retry_after;
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    return NULL;
}

static struct answer get(const char *query, const char *token, bool has_certificate)
{
    struct answer answer = {.token = token, .has_certificate = has_certificate};
    snprintf(answer.query, sizeof(answer.query), "%s", query);
    ask(&answer);
    return answer;
}

static void expect(const char *query, CURLcode rc, long status, const char *part)
{
    struct answer answer = get(query, NULL, true);
    cr_expect_eq(answer.rc, rc, "%s: %s", query, curl_easy_strerror(answer.rc));
    cr_expect_eq(answer.status, status, "%s: %ld", query, answer.status);
    cr_expect(!part || (answer.body && strstr(answer.body, part)), "%s: %s", query, answer.body);
    free(answer.body);
}

static void fault(enum api_when when, struct api_fault fault)
{
    api_set_fault(api, when, &fault);
}

Test(api, lists_the_own_node_only)
{
    expect(OWN, CURLE_OK, 200, "\"agenttier.io/runtime\":\"gvisor\"");
    struct api_seen seen = api_seen(api);
    cr_expect_str_eq(seen.client_name, "system:node:lab");
    static const char query[] = "fieldSelector=metadata.name%3Dlab";
    cr_expect_str_eq(seen.query, query);
    expect("", CURLE_OK, 403, "only its own Node");
    expect("?fieldSelector=metadata.name%3Dother", CURLE_OK, 403, "only its own Node");
    expect("/lab", CURLE_OK, 404, "Status");
    cr_expect_eq(api_seen(api).counts[API_LISTS], 3);
    api_set_padding(api, 200000);
    api_set_labels(api, "a=b");
    struct answer answer = get(OWN, NULL, true);
    cr_expect(answer.len > 200000 && strstr(answer.body, "\"labels\":{\"a\":\"b\"}"));
    free(answer.body);
    api_delete_node(api);
    expect(OWN, CURLE_OK, 200, "\"items\":[]");
}

static struct answer *start_watch(const char *version)
{
    struct answer *answer = calloc(1, sizeof(*answer));
    answer->has_certificate = true;
    snprintf(answer->query, sizeof(answer->query), "%s%s", WATCH, version);
    cr_assert_eq(pthread_create(&answer->thread, NULL, ask, answer), 0);
    cr_assert(api_await(api, API_OPEN_WATCHES, 1));
    return answer;
}

static void end_watch(struct answer *answer, CURLcode rc, const char *const *types, size_t count)
{
    cr_assert_eq(pthread_join(answer->thread, NULL), 0);
    cr_expect_eq(answer->rc, rc, "%s", curl_easy_strerror(answer->rc));
    char *rest = answer->body;
    for (size_t i = 0; i < count; i++) {
        char *line = strsep(&rest, "\n");
        cr_assert(line && strncmp(line, types[i], strlen(types[i])) == 0, "%zu: %s", i, line);
    }
    cr_expect(!rest || !*rest, "%s", rest);
    cr_expect(api_await(api, API_OPEN_WATCHES, 0));
    free(answer->body);
    free(answer);
}

#define EVENT(type) "{\"type\":\"" type "\""

Test(api, sends_events_to_a_watch)
{
    static const char *const types[] = {EVENT("MODIFIED"), EVENT("MODIFIED"), EVENT("BOOKMARK"),
                                        EVENT("DELETED"),  EVENT("ADDED"),    "<html>",
                                        EVENT("ERROR")};
    api_set_labels(api, "before=list"); /* 101 */
    struct answer *watch = start_watch("100");
    api_touch(api);
    api_bookmark(api);
    api_delete_node(api);
    api_set_labels(api, "a=b");
    api_push(api, "<html>");
    api_expire(api);
    end_watch(watch, CURLE_OK, types, 7);
    expect(WATCH "100", CURLE_OK, 200, "\"code\":410");
    expect(OWN "&watch=true", CURLE_OK, 200, "\"code\":410");
    fault(API_ON_WATCH, (struct api_fault){.kind = API_GONE, .times = 1});
    expect(WATCH "999", CURLE_OK, 200, "\"code\":410");
}

Test(api, replays_a_real_watch)
{
    static const char *const types[] = {EVENT("MODIFIED"), EVENT("MODIFIED"), EVENT("MODIFIED"),
                                        EVENT("BOOKMARK"), EVENT("BOOKMARK")};
    struct answer *watch = start_watch("100");
    cr_assert(api_replay(api, API_SAMPLES "/node-watch.jsonl"));
    api_end_watches(api);
    end_watch(watch, CURLE_OK, types, 5);
    expect(OWN, CURLE_OK, 200, "\"tier\":\"agents\"");
    cr_expect_not(api_replay(api, "/nonexistent"));
}

Test(api, ends_watches)
{
    expect(WATCH "100&timeoutSeconds=1", CURLE_OK, 200, NULL);
    struct answer *cut = start_watch("100");
    api_cut_watches(api);
    end_watch(cut, CURLE_PARTIAL_FILE, NULL, 0);
    fault(API_ON_WATCH, (struct api_fault){.kind = API_CUT_BODY, .times = 1});
    cut = start_watch("100");
    api_touch(api);
    static const char *const types[] = {EVENT("MODIFIED")};
    end_watch(cut, CURLE_PARTIAL_FILE, types, 1);
    cut = start_watch("101");
    api_down(api);
    cr_assert_eq(pthread_join(cut->thread, NULL), 0);
    cr_expect_eq(cut->rc, CURLE_PARTIAL_FILE);
    free(cut);
    expect(OWN, CURLE_COULDNT_CONNECT, 0, NULL);
    api_up(api);
    expect(OWN, CURLE_OK, 200, NULL);
}

Test(api, has_misfortunes)
{
    fault(API_ON_LIST,
          (struct api_fault){.kind = API_STATUS, .times = 1, .status = 503, .retry_after_s = 7});
    struct answer answer = get(OWN, NULL, true);
    cr_expect(answer.status == 503 && answer.retry_after_s == 7);
    free(answer.body);
    expect(OWN, CURLE_OK, 200, "NodeList");
    static const struct {
        enum api_fault_kind kind;
        CURLcode rc;
        long status;
    } faults[] = {
        {API_CUT, CURLE_GOT_NOTHING, 0},
        {API_CUT_HEADERS, CURLE_OK, 200},
        {API_CUT_BODY, CURLE_PARTIAL_FILE, 200},
        {API_GARBAGE, CURLE_OK, 200},
        {API_EMPTY, CURLE_OK, 200},
        {API_DRIP, CURLE_OK, 200},
    };
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        fault(API_ON_LIST, (struct api_fault){.kind = faults[i].kind, .times = 1});
        expect(OWN, faults[i].rc, faults[i].status, NULL);
    }
    fault(API_ON_CONNECT, (struct api_fault){.kind = API_CUT, .times = 1});
    expect(OWN, CURLE_SSL_CONNECT_ERROR, 0, NULL);
}

Test(api, hangs)
{
    static const struct {
        enum api_when when;
        enum api_fault_kind kind;
    } hangs[] = {{API_ON_CONNECT, API_HANG},
                 {API_ON_CONNECT, API_HANG_TLS},
                 {API_ON_LIST, API_HANG},
                 {API_ON_LIST, API_HANG_BODY}};
    for (size_t i = 0; i < sizeof(hangs) / sizeof(*hangs); i++) {
        fault(hangs[i].when, (struct api_fault){.kind = hangs[i].kind});
        struct answer answer = {.query = OWN, .has_certificate = true, .timeout_ms = 1000};
        ask(&answer);
        cr_expect_eq(answer.rc, CURLE_OPERATION_TIMEDOUT, "%zu: %d", i, answer.rc);
        free(answer.body);
        fault(hangs[i].when, (struct api_fault){0});
    }
    expect(OWN, CURLE_OK, 200, NULL);
}

Test(api, shows_wrong_certificates)
{
    for (int wrong = API_CERT_OTHER_CA; wrong <= API_CERT_WRONG_HOST; wrong++) {
        api_present(api, (enum api_certificate)wrong);
        expect(OWN, CURLE_PEER_FAILED_VERIFICATION, 0, NULL);
    }
    api_present(api, API_CERT_GOOD);
    api_rotate_ca(api);
    expect(OWN, CURLE_OK, 200, NULL);
}

static void expect_status(const char *token, bool has_certificate, long status)
{
    struct answer answer = get(OWN, token, has_certificate);
    cr_expect_eq(answer.status, status, "%ld, not %ld", answer.status, status);
    free(answer.body);
}

Test(api, demands_credentials)
{
    expect_status(NULL, false, 200);
    api_demand(api, API_DEMAND_CERTIFICATE, NULL);
    expect_status(NULL, false, 401);
    expect_status(NULL, true, 200);
    char from[96], to[96];
    snprintf(from, sizeof(from), "%s/client.pem", dir);
    snprintf(to, sizeof(to), "%s/old.pem", dir);
    cr_assert_eq(link(from, to), 0);
    api_issue_client(api);
    api_refuse_old_clients(api);
    expect_status(NULL, true, 200);
    cr_assert_eq(rename(to, from), 0);
    expect_status(NULL, true, 401);
    api_demand(api, API_DEMAND_TOKEN, "t2");
    expect_status("t1", true, 401);
    expect_status("t2", false, 200);
    cr_expect_str_eq(api_seen(api).token, "t2");
    cr_expect_eq(api_seen(api).counts[API_UNAUTHORIZED], 3);
}
