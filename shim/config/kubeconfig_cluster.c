/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a kubeconfig's cluster: where the API server is, and how it is known to be that. */
#include <strings.h>

#include "config/kubeconfig_read.h"

#define HTTPS "https://"
#define WORD "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"
#define IN_PATH WORD "/~%!$&'()*+,;=:"

/* The length of the host in front of a port or a path; 0 when there is none. */
static size_t host_length(const char *text)
{
    if (text[0] != '[')
        return strspn(text, WORD);
    size_t len = 1 + strspn(text + 1, "0123456789abcdefABCDEF:.");
    return len > 2 && text[len] == ']' ? len + 1 : 0;
}

/* What is wrong with the URL behind "https://"; NULL when it is right. */
static const char *server_fault(const char *rest)
{
    size_t host_len = host_length(rest);
    if (host_len == 0)
        return "has no host that can be read";
    rest += host_len;
    if (*rest == ':') {
        size_t digits = strspn(++rest, "0123456789");
        unsigned long port = digits && digits <= 5 ? strtoul(rest, NULL, 10) : 0;
        if (port == 0 || port > 65535)
            return "has a port that is none";
        rest += digits;
    }
    if (*rest && *rest != '/')
        return "has more behind its host than a port and a path";
    if (rest[strspn(rest, IN_PATH)])
        return "has a path with characters that a path cannot have";
    return NULL;
}

static const char *without_last_slashes(struct kubeconfig_reading *reading, const char *rest)
{
    size_t len = strlen(rest);
    while (len && rest[len - 1] == '/')
        len--;
    char *server = arena_alloc(&reading->config->arena, sizeof(HTTPS) + len);
    if (!server) {
        diags_add_memory_out(reading->reader.diags);
        return NULL;
    }
    sprintf(server, HTTPS "%.*s", (int)len, rest);
    return server;
}

static void read_server(struct kubeconfig_reading *reading, const struct yaml_node *cluster_key)
{
    static const char hint[] = "write it as https://HOST:PORT";
    struct reader *reader = &reading->reader;
    const struct yaml_node *key;
    size_t errors_before = reader->diags->errors;
    const char *server = kubeconfig_text(reading, cluster_key->value, "server", &key);
    if (!server) {
        if (reader->diags->errors == errors_before)
            reader_error(reader, cluster_key, hint, "the cluster's server is missing");
        return;
    }
    if (strncasecmp(server, HTTPS, sizeof(HTTPS) - 1) != 0) {
        reader_error(reader, key, hint,
                     "server must be an https URL: over plain http anybody could change the "
                     "node's labels");
        return;
    }
    const char *rest = server + sizeof(HTTPS) - 1, *fault = server_fault(rest);
    if (fault)
        reader_error(reader, key, hint, "server %s", fault);
    else
        reading->config->server = without_last_slashes(reading, rest);
}

static void read_server_name(struct kubeconfig_reading *reading, const struct yaml_node *cluster)
{
    const struct yaml_node *key;
    const char *name = kubeconfig_text(reading, cluster, "tls-server-name", &key);
    if (name && name[strspn(name, WORD ":")]) {
        reader_error(&reading->reader, key, NULL, "tls-server-name must be a host's name");
        return;
    }
    reading->config->tls_server_name = name;
}

void kubeconfig_read_cluster(struct kubeconfig_reading *reading, const struct yaml_node *key)
{
    struct reader *reader = &reading->reader;
    const struct yaml_node *cluster = key->value, *proxy;
    read_server(reading, key);
    read_server_name(reading, cluster);
    const struct yaml_node *insecure = kubeconfig_key(cluster, "insecure-skip-tls-verify");
    bool skips_verification;
    if (insecure &&
        reader_boolean(reader, insecure->value, "insecure-skip-tls-verify", &skips_verification) &&
        skips_verification)
        reader_error(reader, insecure, "give the cluster's certificate-authority instead",
                     "insecure-skip-tls-verify: anybody could change the node's labels");
    if (kubeconfig_text(reading, cluster, "proxy-url", &proxy))
        reader_warning(reader, proxy, NULL,
                       "proxy-url is not used: crigate connects to the API server directly");
    kubeconfig_pem(reading, cluster, "certificate-authority", KUBECONFIG_CERTIFICATE,
                   &reading->config->ca);
}
