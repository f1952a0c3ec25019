/* SPDX-License-Identifier: Apache-2.0 */
/* Tells libcurl how the API server is reached, and holds it to HTTPS, verified, without detours. */
#include "kubernetes/api_client_options.h"

#define CONNECT_MS 10000L

static CURLcode set_long(struct api_client_options *options, CURLoption option, long value)
{
    return options->curl->easy_setopt(options->easy, option, value);
}

static CURLcode set_pointer(struct api_client_options *options, CURLoption option,
                            const void *value)
{
    return options->curl->easy_setopt(options->easy, option, value);
}

static CURLcode set_blob(struct api_client_options *options, CURLoption option, struct str text)
{
    if (!text.data)
        return CURLE_OK;
    struct curl_blob blob = {.data = (char *)text.data, .len = text.len, .flags = CURL_BLOB_COPY};
    return set_pointer(options, option, &blob);
}

static int must(const struct api_client_options *options, CURLcode code, const char *what,
                struct err *err)
{
    if (code == CURLE_OK)
        return 0;
    return err_set(err, "libcurl, %s: %s", what, options->curl->easy_strerror(code));
}

/* The sessions of an earlier identity are not resumed, and authorities are not kept from before. */
static int set_tls(struct api_client_options *options, struct err *err)
{
    const struct api_access *access = options->access;
    if (must(options, set_long(options, CURLOPT_SSL_VERIFYPEER, 1), "verification", err) ||
        must(options, set_long(options, CURLOPT_SSL_VERIFYHOST, 2), "verification", err) ||
        must(options, set_long(options, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2), "TLS 1.2",
             err) ||
        must(options, set_long(options, CURLOPT_SSL_SESSIONID_CACHE, 0), "sessions", err) ||
        must(options, set_long(options, CURLOPT_CA_CACHE_TIMEOUT, 0), "authorities", err))
        return -1;
    /* Debian's libcurl trusts /etc/ssl/certs beside the authorities it is given. */
    if (access->ca.data &&
        (must(options, set_pointer(options, CURLOPT_CAINFO, NULL), "authorities", err) ||
         must(options, set_pointer(options, CURLOPT_CAPATH, NULL), "authorities", err) ||
         must(options, set_blob(options, CURLOPT_CAINFO_BLOB, access->ca), "authorities", err)))
        return -1;
    if (must(options, set_pointer(options, CURLOPT_SSLCERTTYPE, "PEM"), "certificate", err) ||
        must(options, set_pointer(options, CURLOPT_SSLKEYTYPE, "PEM"), "key", err) ||
        must(options, set_blob(options, CURLOPT_SSLCERT_BLOB, access->certificate), "certificate",
             err))
        return -1;
    /* A key that is locked is an error: without this OpenSSL asks whoever sits at the terminal. */
    if (must(options, set_pointer(options, CURLOPT_KEYPASSWD, ""), "key", err))
        return -1;
    return must(options, set_blob(options, CURLOPT_SSLKEY_BLOB, access->key), "key", err);
}

/* Nothing from the environment, nothing to elsewhere. */
static int set_ways(struct api_client_options *options, struct err *err)
{
    static const struct {
        CURLoption option;
        long value;
        const char *what;
    } numbers[] = {
        {CURLOPT_NOSIGNAL, 1, "signals"},
        {CURLOPT_QUICK_EXIT, 1, "a resolver that hangs"},
        {CURLOPT_FOLLOWLOCATION, 0, "redirects"},
        {CURLOPT_NETRC, CURL_NETRC_IGNORED, "netrc"},
        {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS, "HTTP/2"},
        {CURLOPT_DISALLOW_USERNAME_IN_URL, 1, "URL"},
        {CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS, "time limit"},
        {CURLOPT_TCP_KEEPALIVE, 1, "keepalive"},
        {CURLOPT_TCP_KEEPIDLE, 30, "keepalive"},
        {CURLOPT_TCP_KEEPINTVL, 10, "keepalive"},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        CURLcode code = set_long(options, numbers[i].option, numbers[i].value);
        if (must(options, code, numbers[i].what, err))
            return -1;
    }
    if (must(options, set_pointer(options, CURLOPT_PROTOCOLS_STR, "https"), "https only", err) ||
        must(options, set_pointer(options, CURLOPT_PROXY, ""), "no proxy", err) ||
        must(options, set_pointer(options, CURLOPT_NOPROXY, "*"), "no proxy", err))
        return -1;
    return must(options, set_pointer(options, CURLOPT_USERAGENT, "crigate"), "user agent", err);
}

static int memory_out(struct err *err)
{
    return err_set(err, "memory is out");
}

static int add_header(struct api_client_options *options, const char *name, struct str value,
                      struct err *err)
{
    size_t size = strlen(name) + value.len + 3;
    char *line = arena_alloc(&options->arena, size);
    if (!line)
        return memory_out(err);
    snprintf(line, size, "%s: %.*s", name, STR_FMT(value));
    struct curl_slist *longer = options->curl->slist_append(options->headers, line);
    if (!longer)
        return memory_out(err);
    options->headers = longer;
    return 0;
}

static int set_headers(struct api_client_options *options, struct err *err)
{
    struct str token = options->access->token;
    if (add_header(options, "Accept", STR("application/json"), err))
        return -1;
    if (token.data) {
        size_t size = token.len + sizeof("Bearer ");
        char *value = arena_alloc(&options->arena, size);
        if (!value)
            return memory_out(err);
        snprintf(value, size, "Bearer %.*s", STR_FMT(token));
        if (add_header(options, "Authorization", str_of(value), err))
            return -1;
    }
    return must(options, set_pointer(options, CURLOPT_HTTPHEADER, options->headers), "headers",
                err);
}

/* HOST, or [HOST], of an authority; what is behind is ":PORT" or nothing. */
static size_t host_len(const char *authority, size_t len)
{
    const char *bracket = memchr(authority, ']', len);
    const char *from = bracket ? bracket : authority;
    const char *colon = memchr(from, ':', len - (size_t)(from - authority));
    return colon ? (size_t)(colon - authority) : len;
}

/*
 * With a tls_server_name the URL names that, for SNI and for the certificate, while the connection
 * and the Host header are the server's own.
 */
static int set_server_name(struct api_client_options *options, const char *name, struct err *err)
{
    const char *authority = options->access->config.server + strlen("https://");
    size_t len = strcspn(authority, "/");
    const char *port = authority + host_len(authority, len), *end = authority + len;
    bool is_ipv6 = strchr(name, ':') != NULL;
    size_t size = strlen(name) + strlen(options->base) + sizeof("https://[]");
    char *url = arena_alloc(&options->arena, size), *way = arena_alloc(&options->arena, len + 4);
    if (!url || !way)
        return memory_out(err);
    snprintf(url, size, "https://%s%s%s%s", is_ipv6 ? "[" : "", name, is_ipv6 ? "]" : "", port);
    snprintf(way, len + 4, "::%.*s%s", (int)len, authority, port == end ? ":" : "");
    options->base = url;
    options->connect_to = options->curl->slist_append(NULL, way);
    if (!options->connect_to)
        return memory_out(err);
    if (must(options, set_pointer(options, CURLOPT_CONNECT_TO, options->connect_to), "address",
             err))
        return -1;
    return add_header(options, "Host", (struct str){.data = authority, .len = len}, err);
}

int api_client_options_set(struct api_client_options *options, struct err *err)
{
    const struct kubeconfig *config = &options->access->config;
    options->base = config->server;
    if (config->tls_server_name && set_server_name(options, config->tls_server_name, err))
        return -1;
    if (set_ways(options, err) || set_tls(options, err))
        return -1;
    return set_headers(options, err);
}

void api_client_options_free(struct api_client_options *options)
{
    options->curl->slist_free_all(options->headers);
    options->curl->slist_free_all(options->connect_to);
    arena_free(&options->arena);
}
