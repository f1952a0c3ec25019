/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the API server through libcurl, in a loop that a descriptor can end at any time. */
#include "kubernetes/api_client.h"

#include <time.h>

#include "base/writer.h"
#include "kubernetes/api_client_options.h"

/* Of an HTTP error's body; a Status object takes some hundred bytes. */
#define BODY_MAX ((size_t)16 * 1024)

struct api_client {
    const struct api_client_curl *curl;
    struct api_client_options options;
    int stop_fd;
    CURLM *multi;
    CURL *easy;
    char reason[CURL_ERROR_SIZE]; /* libcurl's, of the request that failed */
    char body[BODY_MAX];
    size_t body_len;
    /* of the request that runs */
    const struct api_request *request;
    int64_t heard, idled; /* api_client_now() at its last byte, at the last idle() */
    bool enough, answering;
};

int64_t api_client_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- what libcurl calls ------------------------------------------------------------------ */

static long status_of(const struct api_client *client)
{
    long status = 0;
    client->curl->easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static size_t on_header(char *data, size_t size, size_t count, void *cookie)
{
    struct api_client *client = cookie;
    (void)data;
    client->heard = api_client_now();
    client->answering = true;
    return size * count;
}

static size_t on_body(char *data, size_t size, size_t count, void *cookie)
{
    struct api_client *client = cookie;
    struct str bytes = {.data = data, .len = size * count};
    client->heard = api_client_now();
    if (status_of(client) == 200) {
        client->enough = !client->request->bytes(client->request->cookie, bytes);
        return client->enough ? CURL_WRITEFUNC_ERROR : bytes.len;
    }
    size_t room = sizeof(client->body) - client->body_len;
    size_t taken = bytes.len < room ? bytes.len : room;
    memcpy(client->body + client->body_len, data, taken);
    client->body_len += taken;
    return bytes.len;
}

/* --- open and close ---------------------------------------------------------------------- */

static int set_callbacks(struct api_client *client, struct err *err)
{
    const struct api_client_curl *curl = client->curl;
    CURL *easy = client->easy;
    if (curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) ||
        curl->easy_setopt(easy, CURLOPT_WRITEDATA, client) ||
        curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) ||
        curl->easy_setopt(easy, CURLOPT_HEADERDATA, client) ||
        curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, client->reason))
        return err_set(err, "libcurl takes no callbacks");
    return 0;
}

int api_client_load(struct err *err)
{
    return api_client_curl_load(err) ? 0 : -1;
}

int api_client_open(const struct api_access *access, int stop_fd, struct api_client **client,
                    struct err *err)
{
    const struct api_client_curl *curl = api_client_curl_load(err);
    if (!curl)
        return -1;
    OWNED(own_api_client) struct api_client *made = calloc(1, sizeof(*made));
    if (!made)
        return err_set(err, "memory is out");
    made->curl = curl;
    made->stop_fd = stop_fd;
    made->multi = curl->multi_init();
    made->easy = curl->easy_init();
    made->options.curl = curl;
    made->options.access = access;
    made->options.easy = made->easy;
    if (!made->multi || !made->easy)
        return err_set(err, "memory is out");
    if (api_client_options_set(&made->options, err) || set_callbacks(made, err))
        return -1;
    *client = steal_ptr(&made);
    return 0;
}

void api_client_close(struct api_client *client)
{
    if (client->easy)
        client->curl->easy_cleanup(client->easy);
    if (client->multi)
        client->curl->multi_cleanup(client->multi);
    api_client_options_free(&client->options);
    free(client);
}

/* --- a request --------------------------------------------------------------------------- */

/* The credentials that a failed handshake is about. */
static void write_files(struct writer *writer, const struct api_client *client, CURLcode code)
{
    const struct kubeconfig *config = &client->options.access->config;
    const struct kubeconfig_pem *pem = &config->ca;
    const char *what = "verified by certificate-authority";
    if (code == CURLE_SSL_CERTPROBLEM) {
        pem = &config->certificate;
        what = "shown is client-certificate";
    } else if (code != CURLE_PEER_FAILED_VERIFICATION && code != CURLE_SSL_CACERT_BADFILE) {
        return;
    }
    const char *from = pem->data.data ? "of the kubeconfig" : pem->file ? pem->file : "not given";
    writer_text(writer, " (");
    writer_text(writer, what);
    writer_text(writer, " ");
    writer_text(writer, from);
    writer_text(writer, ")");
}

static enum api_outcome fail(struct api_client *client, CURLcode code, struct err *err)
{
    char text[sizeof(err->text)];
    struct writer writer = writer_make(text, sizeof(text));
    const char *reason = client->reason[0] ? client->reason : client->curl->easy_strerror(code);
    writer_text(&writer, client->options.access->config.server);
    writer_text(&writer, ": ");
    writer_text(&writer, reason);
    write_files(&writer, client, code);
    err_set(err, "%s", text);
    return API_FAILED;
}

/* The transfer is over by itself. */
static enum api_outcome finish(struct api_client *client, CURLcode code, struct api_answer *answer,
                               struct err *err)
{
    curl_off_t retry_after = 0;
    if (client->enough)
        return API_ENOUGH;
    if (code != CURLE_OK)
        return fail(client, code, err);
    client->curl->easy_getinfo(client->easy, CURLINFO_RETRY_AFTER, &retry_after);
    *answer = (struct api_answer){
        .status = status_of(client),
        .retry_after = retry_after > 0 ? retry_after : 0,
        .body = {.data = client->body, .len = client->body_len},
    };
    return API_ANSWERED;
}

/* Silent before any header is a failure; after them it is how a watch may end. */
static enum api_outcome check_silence(struct api_client *client, int64_t now, struct err *err)
{
    const struct api_request *request = client->request;
    if (now - client->heard < request->silent_ms)
        return API_ANSWERED;
    if (client->answering)
        return API_SILENT;
    err_set(err, "%s: no answer within %lld s", client->options.access->config.server,
            (long long)(request->silent_ms + 999) / 1000);
    return API_FAILED;
}

/* What ends a request that is under way; API_ANSWERED: nothing. */
static enum api_outcome look_round(struct api_client *client, bool stopped, struct err *err)
{
    const struct api_request *request = client->request;
    int64_t now = api_client_now();
    if (stopped)
        return API_STOPPED;
    if (now - client->idled >= API_CLIENT_IDLE_MS) {
        client->idled = now;
        if (client->answering && !request->idle(request->cookie))
            return API_ENOUGH;
    }
    return check_silence(client, now, err);
}

static int wait_ms(const struct api_client *client)
{
    int64_t now = api_client_now();
    int64_t silent = client->heard + client->request->silent_ms - now;
    int64_t idle = client->idled + API_CLIENT_IDLE_MS - now;
    int64_t wait = silent < idle ? silent : idle;
    return wait > 0 ? (int)wait : 0;
}

/* Runs the transfer until it is over or ended from outside. */
static enum api_outcome transfer(struct api_client *client, struct api_answer *answer,
                                 struct err *err)
{
    const struct api_client_curl *curl = client->curl;
    struct curl_waitfd stop = {.fd = client->stop_fd, .events = CURL_WAIT_POLLIN};
    for (;;) {
        int running, left;
        CURLMcode code = curl->multi_perform(client->multi, &running);
        CURLMsg *message = curl->multi_info_read(client->multi, &left);
        if (message)
            return finish(client, message->data.result, answer, err);
        if (code == CURLM_OK)
            code = curl->multi_poll(client->multi, &stop, 1, wait_ms(client), NULL);
        if (code != CURLM_OK) {
            err_set(err, "libcurl: %s", curl->multi_strerror(code));
            return API_FAILED;
        }
        enum api_outcome outcome = look_round(client, stop.revents != 0, err);
        if (outcome != API_ANSWERED)
            return outcome;
    }
}

static int begin(struct api_client *client, const struct api_request *request, struct err *err)
{
    const struct api_client_curl *curl = client->curl;
    size_t size = strlen(client->options.base) + strlen(request->path) + 1;
    OWNED_MEM char *url = malloc(size);
    if (!url)
        return err_set(err, "memory is out");
    snprintf(url, size, "%s%s", client->options.base, request->path);
    client->request = request;
    client->heard = client->idled = api_client_now();
    client->enough = client->answering = false;
    client->body_len = 0;
    client->reason[0] = '\0';
    if (curl->easy_setopt(client->easy, CURLOPT_URL, url) ||
        curl->easy_setopt(client->easy, CURLOPT_TIMEOUT_MS, (long)request->total_ms) ||
        curl->multi_add_handle(client->multi, client->easy))
        return err_set(err, "libcurl begins no request to %s",
                       client->options.access->config.server);
    return 0;
}

enum api_outcome api_client_get(struct api_client *client, const struct api_request *request,
                                struct api_answer *answer, struct err *err)
{
    if (begin(client, request, err))
        return API_FAILED;
    enum api_outcome outcome = transfer(client, answer, err);
    client->curl->multi_remove_handle(client->multi, client->easy);
    return outcome;
}
