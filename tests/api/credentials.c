/* SPDX-License-Identifier: Apache-2.0 */
/* Who is who: certificates and tokens, the files they are in, and who is let in. */
#include <unistd.h>

#include "must.h"
#include "server.h"

#define HOUR 3600L
#define SERVER_NAMES "IP:127.0.0.1,DNS:localhost"

/* Readers never see half a file. */
static void write_file(const struct api *api, const char *name, const char *text)
{
    char path[PATH_MAX], fresh[PATH_MAX];
    must(snprintf(path, sizeof(path), "%s/%s", api->dir, name) < (int)sizeof(path));
    must(snprintf(fresh, sizeof(fresh), "%s/.%s.new", api->dir, name) < (int)sizeof(fresh));
    FILE *file = fopen(fresh, "we");
    must(file && fputs(text, file) >= 0 && fclose(file) == 0);
    must(rename(fresh, path) == 0);
}

static void write_pem(const struct api *api, const char *name, const X509 *certificate,
                      const EVP_PKEY *key)
{
    char *pem = pki_pem(certificate, key);
    write_file(api, name, pem);
    free(pem);
}

static void make_server(struct api *api, enum api_certificate which, const struct pki_pair *ca,
                        const char *names, long to_s)
{
    struct pki_request request = {PKI_SERVER, "kube-apiserver", NULL, names, -2 * HOUR,
                                  to_s,       ++api->serial};
    pki_issue(&api->servers[which], ca, &request);
}

static void make_servers(struct api *api)
{
    make_server(api, API_CERT_GOOD, &api->ca, SERVER_NAMES, HOUR);
    make_server(api, API_CERT_OTHER_CA, &api->other_ca, SERVER_NAMES, HOUR);
    make_server(api, API_CERT_EXPIRED, &api->ca, SERVER_NAMES, -HOUR);
    make_server(api, API_CERT_WRONG_HOST, &api->ca, "DNS:elsewhere.example", HOUR);
}

static void make_ca(struct api *api, struct pki_pair *ca, const char *name)
{
    struct pki_request request = {PKI_AUTHORITY, name, NULL, NULL, -3 * HOUR, HOUR, ++api->serial};
    pki_issue(ca, NULL, &request);
}

static void make_client(struct api *api)
{
    char name[sizeof("system:node:") + sizeof(api->node)];
    snprintf(name, sizeof(name), "system:node:%s", api->node);
    struct pki_request request = {PKI_CLIENT, name, "system:nodes", NULL,
                                  -HOUR,      HOUR, ++api->serial};
    pki_issue(&api->client, &api->client_ca, &request);
    write_pem(api, "client.pem", api->client.certificate, api->client.key);
    write_pem(api, "client.crt", api->client.certificate, NULL);
    write_pem(api, "client.key", NULL, api->client.key);
}

void credentials_make(struct api *api)
{
    make_ca(api, &api->ca, "kubernetes");
    make_ca(api, &api->other_ca, "another authority");
    make_ca(api, &api->client_ca, "kubernetes clients");
    make_servers(api);
    make_client(api);
    write_pem(api, "ca.crt", api->ca.certificate, NULL);
    write_file(api, "token", "first-token");
}

void credentials_free(struct api *api)
{
    pki_free(&api->ca);
    pki_free(&api->other_ca);
    pki_free(&api->client_ca);
    pki_free(&api->client);
    for (size_t i = 0; i < sizeof(api->servers) / sizeof(*api->servers); i++)
        pki_free(&api->servers[i]);
}

/* A wrong client certificate is no failure of TLS: the request is answered with 401. */
static int take_any(int is_good, X509_STORE_CTX *context)
{
    (void)is_good, (void)context;
    return 1;
}

SSL_CTX *credentials_context(struct api *api)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    must(context);
    pthread_mutex_lock(&api->lock);
    const struct pki_pair *server = &api->servers[api->presented];
    must(SSL_CTX_use_certificate(context, server->certificate) == 1);
    must(SSL_CTX_use_PrivateKey(context, server->key) == 1);
    must(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), api->client_ca.certificate));
    must(SSL_CTX_add_client_CA(context, api->client_ca.certificate));
    pthread_mutex_unlock(&api->lock);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, take_any);
    /* A resumed session would bring its certificate along, whatever is presented now. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 0);
    return context;
}

bool credentials_hold(struct api *api, SSL *ssl, const char *token, char *name, size_t size)
{
    X509 *certificate = SSL_get1_peer_certificate(ssl);
    long serial = 0;
    name[0] = '\0';
    if (certificate && SSL_get_verify_result(ssl) == X509_V_OK) {
        serial = ASN1_INTEGER_get(X509_get0_serialNumber(certificate));
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                                  (int)size);
    }
    X509_free(certificate);
    pthread_mutex_lock(&api->lock);
    bool holds = api->demand == API_DEMAND_NOTHING ||
                 (api->demand == API_DEMAND_CERTIFICATE && serial && serial >= api->good_serial) ||
                 (api->demand == API_DEMAND_TOKEN && strcmp(token, api->token) == 0);
    pthread_mutex_unlock(&api->lock);
    return holds;
}

void api_present(struct api *api, enum api_certificate certificate)
{
    pthread_mutex_lock(&api->lock);
    api->presented = certificate;
    pthread_mutex_unlock(&api->lock);
}

void api_rotate_ca(struct api *api)
{
    pthread_mutex_lock(&api->lock);
    make_ca(api, &api->ca, "kubernetes");
    make_servers(api);
    write_pem(api, "ca.crt", api->ca.certificate, NULL);
    pthread_mutex_unlock(&api->lock);
}

void api_demand(struct api *api, enum api_demand demand, const char *token)
{
    pthread_mutex_lock(&api->lock);
    api->demand = demand;
    snprintf(api->token, sizeof(api->token), "%s", token ? token : "");
    pthread_mutex_unlock(&api->lock);
}

void api_issue_client(struct api *api)
{
    pthread_mutex_lock(&api->lock);
    make_client(api);
    pthread_mutex_unlock(&api->lock);
}

void api_refuse_old_clients(struct api *api)
{
    pthread_mutex_lock(&api->lock);
    api->good_serial = ASN1_INTEGER_get(X509_get0_serialNumber(api->client.certificate));
    pthread_mutex_unlock(&api->lock);
}

void api_write_token(struct api *api, const char *token)
{
    pthread_mutex_lock(&api->lock);
    write_file(api, "token", token);
    pthread_mutex_unlock(&api->lock);
}

static void print_inline(FILE *out, const char *key, const X509 *certificate,
                         const EVP_PKEY *secret)
{
    char *pem = pki_pem(certificate, secret);
    size_t len = strlen(pem);
    unsigned char *text = malloc(len / 3 * 4 + 5);
    must(text);
    EVP_EncodeBlock(text, (unsigned char *)pem, (int)len);
    fprintf(out, "    %s: %s\n", key, (char *)text);
    free(text);
    free(pem);
}

static void print_token(FILE *out, const struct api *api)
{
    char path[PATH_MAX], token[256] = "";
    must(snprintf(path, sizeof(path), "%s/token", api->dir) < (int)sizeof(path));
    FILE *file = fopen(path, "re");
    must(file && fgets(token, sizeof(token), file));
    fclose(file);
    fprintf(out, "    token: %.*s\n", (int)strcspn(token, "\n"), token);
}

static void print_user(FILE *out, const struct api *api, enum api_kubeconfig form)
{
    switch (form) {
    case API_KUBELET:
        fprintf(out, "    client-certificate: %s/client.pem\n    client-key: %s/client.pem\n",
                api->dir, api->dir);
        break;
    case API_FILES:
        fputs("    client-certificate: client.crt\n    client-key: client.key\n", out);
        break;
    case API_INLINE:
        print_inline(out, "client-certificate-data", api->client.certificate, NULL);
        print_inline(out, "client-key-data", NULL, api->client.key);
        break;
    case API_TOKEN:
        print_token(out, api);
        break;
    case API_TOKEN_FILE:
        fprintf(out, "    tokenFile: %s/token\n", api->dir);
        break;
    case API_ANONYMOUS:
        fputs("    {}\n", out);
        break;
    }
}

const char *api_write_kubeconfig(struct api *api, enum api_kubeconfig form)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    must(out);
    pthread_mutex_lock(&api->lock);
    fputs("apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n", out);
    if (form == API_KUBELET || form == API_INLINE)
        print_inline(out, "certificate-authority-data", api->ca.certificate, NULL);
    else
        fprintf(out, "    certificate-authority: %s\n", "ca.crt");
    fprintf(out, "    server: https://127.0.0.1:%d\n  name: kubernetes\n", api->port);
    fprintf(out, "contexts:\n- context:\n    cluster: kubernetes\n    user: system:node:%s\n",
            api->node);
    fprintf(out, "  name: system:node:%s@kubernetes\n", api->node);
    fprintf(out, "current-context: system:node:%s@kubernetes\npreferences: {}\nusers:\n",
            api->node);
    fprintf(out, "- name: system:node:%s\n  user:\n", api->node);
    print_user(out, api, form);
    must(fclose(out) == 0);
    write_file(api, "kubeconfig", text);
    pthread_mutex_unlock(&api->lock);
    free(text);
    return api->kubeconfig;
}
