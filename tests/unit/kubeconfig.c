/* SPDX-License-Identifier: Apache-2.0 */
/* Kubeconfigs: each form that is used on nodes, each refusal at its key, and no secret shown. */
#include <criterion/criterion.h>
#include <openssl/pem.h>

#include "api.h"
#include "config/kubeconfig.h"
#include "pki.h"

/* A kubeconfig up to its user. */
#define HEAD "apiVersion: v1\nkind: Config\n"
#define CLUSTERS "clusters:\n- name: kubernetes\n  cluster:\n    server: https://10.0.0.1:6443\n"
#define CONTEXTS                                                                            \
    "current-context: node\ncontexts:\n- name: node\n  context:\n    cluster: kubernetes\n" \
    "    user: me\n"
#define USER "users:\n- name: me\n  user:\n"
#define START HEAD CLUSTERS CONTEXTS USER
#define USER_LINE 16 /* the first line behind START */
#define SECRET "c2VjcmV0LXNlY3JldC1zZWNyZXQK"

struct bed {
    char dir[64], path[128];
    struct diags diags;
    struct kubeconfig config;
};

static void close_bed(struct bed *bed)
{
    unlink(bed->path);
    rmdir(bed->dir);
    diags_free(&bed->diags);
    kubeconfig_free(&bed->config);
}

#define OWNED_BED OWNED(close_bed)

static enum kubeconfig_outcome load(struct bed *bed, const char *text)
{
    strcpy(bed->dir, "/tmp/crigate-kubeconfig-XXXXXX");
    cr_assert_not_null(mkdtemp(bed->dir));
    snprintf(bed->path, sizeof(bed->path), "%s/kubeconfig", bed->dir);
    FILE *file = fopen(bed->path, "we");
    cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
    return kubeconfig_load(bed->path, &bed->diags, &bed->config);
}

static void expect_good(struct bed *bed, const char *text)
{
    enum kubeconfig_outcome outcome = load(bed, text);
    cr_assert_eq(outcome, KUBECONFIG_READ, "of %s: %s", text,
                 bed->diags.count ? bed->diags.items[0].message : "no finding");
}

static void expect_finding(const struct bed *bed, const char *text, unsigned line, unsigned column,
                           const char *message)
{
    cr_assert_eq(bed->diags.count, 1, "%zu findings of %s", bed->diags.count, text);
    const struct diag *diag = &bed->diags.items[0];
    cr_expect(strstr(diag->message, message), "of %s: %s", text, diag->message);
    cr_expect(diag->at.line == line && diag->at.column == column, "of %s: %u:%u %s", text,
              diag->at.line, diag->at.column, diag->message);
    cr_expect_null(diag->line);
}

static void expect_error(const char *text, unsigned line, unsigned column, const char *message)
{
    OWNED_BED struct bed bed = {0};
    cr_expect_eq(load(&bed, text), KUBECONFIG_WRONG, "taken: %s", text);
    expect_finding(&bed, text, line, column, message);
    cr_expect_eq(bed.diags.errors, 1);
    cr_expect_null(bed.config.server);
}

static void expect_warning(const char *text, unsigned line, unsigned column, const char *message)
{
    OWNED_BED struct bed bed = {0};
    cr_expect_eq(load(&bed, text), KUBECONFIG_READ, "refused: %s", text);
    expect_finding(&bed, text, line, column, message);
    cr_expect_eq(bed.diags.warnings, 1);
}

/* PEM of a certificate, or of its key, in base64; the caller frees it. */
static char *make_inline(bool wants_key, char **pem)
{
    struct pki_pair pair = {0};
    struct pki_request request = {PKI_CLIENT, "system:node:n", NULL, NULL, 0, 3600, 1};
    pki_issue(&pair, NULL, &request);
    *pem = wants_key ? pki_pem(NULL, pair.key) : pki_pem(pair.certificate, NULL);
    pki_free(&pair);
    char *text = malloc(strlen(*pem) / 3 * 4 + 5);
    cr_assert_not_null(text);
    EVP_EncodeBlock((unsigned char *)text, (unsigned char *)*pem, (int)strlen(*pem));
    return text;
}

Test(kubeconfig, reads_what_kubeadm_writes_for_a_kubelet)
{
    OWNED_BED struct bed bed = {0};
    OWNED_MEM char *pem = NULL, *ca = make_inline(false, &pem), *text = NULL;
    cr_assert_gt(
        asprintf(&text,
                 "apiVersion: v1\n"
                 "clusters:\n"
                 "- cluster:\n"
                 "    certificate-authority-data: %s\n"
                 "    server: https://cp.example:6443\n"
                 "  name: kubernetes\n"
                 "contexts:\n"
                 "- context:\n"
                 "    cluster: kubernetes\n"
                 "    user: system:node:lab\n"
                 "  name: system:node:lab@kubernetes\n"
                 "current-context: system:node:lab@kubernetes\n"
                 "kind: Config\n"
                 "preferences: {}\n"
                 "users:\n"
                 "- name: system:node:lab\n"
                 "  user:\n"
                 "    client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem\n"
                 "    client-key: /var/lib/kubelet/pki/kubelet-client-current.pem\n",
                 ca),
        0);
    expect_good(&bed, text);
    cr_expect_eq(bed.diags.count, 0);
    cr_expect_str_eq(bed.config.server, "https://cp.example:6443");
    cr_expect(str_eq(bed.config.ca.data, str_of(pem)));
    cr_expect_null(bed.config.ca.file);
    cr_expect_str_eq(bed.config.certificate.file,
                     "/var/lib/kubelet/pki/kubelet-client-current.pem");
    cr_expect_str_eq(bed.config.key.file, "/var/lib/kubelet/pki/kubelet-client-current.pem");
    cr_expect_null(bed.config.certificate.data.data);
    cr_expect_null(bed.config.token);
    cr_expect_null(bed.config.token_file);
    cr_expect_null(bed.config.tls_server_name);
}

Test(kubeconfig, reads_inline_certificates)
{
    OWNED_BED struct bed bed = {0};
    OWNED_MEM char *pem = NULL, *key_pem = NULL, *text = NULL;
    OWNED_MEM char *certificate = make_inline(false, &pem), *key = make_inline(true, &key_pem);
    /* the key as a block of lines, as some tools write it */
    cr_assert_gt(asprintf(&text,
                          START "    client-certificate-data: %s\n    client-key-data: |\n"
                                "      %.40s\n      %s\n",
                          certificate, key, key + 40),
                 0);
    expect_good(&bed, text);
    cr_expect(str_eq(bed.config.certificate.data, str_of(pem)));
    cr_expect(str_eq(bed.config.key.data, str_of(key_pem)));
}

Test(kubeconfig, reads_a_bootstrap_token_and_a_token_file)
{
    OWNED_BED struct bed bed = {0}, other = {0};
    expect_good(&bed, START "    token: 07401b.f395accd246ae52d\n");
    cr_expect_str_eq(bed.config.token, "07401b.f395accd246ae52d");
    expect_good(&other, START "    token: abc\n    tokenFile: /run/secrets/token\n");
    cr_expect_str_eq(other.config.token_file, "/run/secrets/token");
    cr_expect_str_eq(other.config.token, "abc");
    cr_expect_eq(other.diags.count, 0);
}

Test(kubeconfig, reads_json)
{
    OWNED_BED struct bed bed = {0};
    expect_good(&bed, "{\n\t\"kind\": \"Config\",\n\t\"current-context\": \"a\",\n"
                      "\t\"contexts\": [{\"name\": \"a\", \"context\": {\"cluster\": \"c\", "
                      "\"user\": \"u\", \"namespace\": \"x\"}}],\n"
                      "\t\"clusters\": [{\"name\": \"c\", \"cluster\": {\"server\": "
                      "\"https:\\/\\/[::1]:6443\\/k8s\\/\", \"tls-server-name\": \"cp\"}}],\n"
                      "\t\"users\": [{\"name\": \"u\", \"user\": {\"token\": \"t\"}}]\n}\n");
    cr_expect_str_eq(bed.config.server, "https://[::1]:6443/k8s");
    cr_expect_str_eq(bed.config.tls_server_name, "cp");
}

Test(kubeconfig, reads_what_the_test_server_writes)
{
    OWNED_BED struct bed bed = {0};
    strcpy(bed.dir, "/tmp/crigate-kubeconfig-XXXXXX");
    cr_assert_not_null(mkdtemp(bed.dir));
    struct api *api = api_start(bed.dir, "lab");
    for (enum api_kubeconfig form = API_KUBELET; form <= API_ANONYMOUS; form++) {
        struct kubeconfig config = {0};
        const char *path = api_write_kubeconfig(api, form);
        cr_assert_eq(kubeconfig_load(path, &bed.diags, &config), KUBECONFIG_READ, "form %d", form);
        cr_expect_eq(config.certificate.data.data != NULL, form == API_INLINE);
        cr_expect_eq(config.certificate.file != NULL, form == API_KUBELET || form == API_FILES);
        cr_expect_eq(config.ca.file == NULL, form == API_KUBELET || form == API_INLINE);
        cr_expect_eq(config.token != NULL, form == API_TOKEN);
        cr_expect_eq(config.token_file != NULL, form == API_TOKEN_FILE);
        kubeconfig_free(&config);
    }
    api_stop(api);
    static const char *const files[] = {"ca.crt",     "client.crt", "client.key",
                                        "client.pem", "token",      "kubeconfig"};
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        snprintf(bed.path, sizeof(bed.path), "%s/%s", bed.dir, files[i]);
        unlink(bed.path);
    }
}

Test(kubeconfig, follows_the_current_context_only)
{
    OWNED_BED struct bed bed = {0};
    expect_good(&bed, "current-context: two\n"
                      "contexts:\n"
                      "- {name: one, context: {cluster: c1, user: gone}}\n"
                      "- {name: two, context: {cluster: c2, user: u2}}\n"
                      "clusters:\n"
                      "- {name: c1, cluster: {server: 'http://one'}}\n"
                      "- {name: c2, cluster: {server: HTTPS://two/, extensions: []}}\n"
                      "users:\n"
                      "- {name: u1, user: {exec: {command: x}}}\n"
                      "- {name: u2, user: {token: t2, exec: null, username: ''}}\n"
                      "colour: green\n");
    cr_expect_str_eq(bed.config.server, "https://two");
    cr_expect_str_eq(bed.config.token, "t2");
    cr_expect_eq(bed.diags.count, 0);
}

Test(kubeconfig, begins_relative_paths_where_it_lies)
{
    OWNED_BED struct bed bed = {0};
    expect_good(&bed, START "    client-certificate: pki/c.pem\n    client-key: ../k.pem\n");
    char path[256];
    snprintf(path, sizeof(path), "%s/pki/c.pem", bed.dir);
    cr_expect_str_eq(bed.config.certificate.file, path);
    snprintf(path, sizeof(path), "%s/../k.pem", bed.dir);
    cr_expect_str_eq(bed.config.key.file, path);
    kubeconfig_free(&bed.config);
    cr_assert_eq(chdir(bed.dir), 0);
    cr_assert_eq(kubeconfig_load("kubeconfig", &bed.diags, &bed.config), KUBECONFIG_READ);
    snprintf(path, sizeof(path), "%s/pki/c.pem", bed.dir);
    cr_expect_str_eq(bed.config.certificate.file, path);
    kubeconfig_free(&bed.config);
    cr_assert_eq(kubeconfig_load("./kubeconfig", &bed.diags, &bed.config), KUBECONFIG_READ);
    snprintf(path, sizeof(path), "%s/./pki/c.pem", bed.dir);
    cr_expect_str_eq(bed.config.certificate.file, path);
}

Test(kubeconfig, follows_a_symbolic_link)
{
    OWNED_BED struct bed bed = {0};
    char link[128];
    expect_good(&bed, START "    token: t\n");
    kubeconfig_free(&bed.config);
    snprintf(link, sizeof(link), "%s/link", bed.dir);
    cr_assert_eq(symlink("kubeconfig", link), 0);
    enum kubeconfig_outcome outcome = kubeconfig_load(link, &bed.diags, &bed.config);
    unlink(link);
    cr_expect_eq(outcome, KUBECONFIG_READ);
}

Test(kubeconfig, a_missing_file_is_no_error)
{
    struct diags diags = {0};
    struct kubeconfig config;
    cr_expect_eq(kubeconfig_load("/nonexistent/k", &diags, &config), KUBECONFIG_MISSING);
    cr_expect_eq(diags.count + diags.errors, 0);
    cr_expect_eq(kubeconfig_load("/etc/passwd/k", &diags, &config), KUBECONFIG_WRONG);
    cr_expect_eq(kubeconfig_load("/tmp", &diags, &config), KUBECONFIG_WRONG);
    cr_expect_eq(diags.errors, 2);
    diags_free(&diags);
}

Test(kubeconfig, refuses_another_file)
{
    expect_error("", 0, 0, "empty");
    expect_error("- a\n", 1, 1, "no kubeconfig");
    expect_error("kind: Pod\n", 1, 1, "its kind is not Config");
    expect_error("apiVersion: v2\n", 1, 1, "its apiVersion is not v1");
    expect_error("kind: [\n", 2, 1, "not YAML");
    expect_error("{}\n", 1, 1, "current-context is missing");
    expect_error("current-context: ''\n", 1, 1, "current-context is missing");
    expect_error("current-context: [a]\n", 1, 1, "must be a string");
    expect_error(START "    token: t\n---\n{}\n", USER_LINE + 1, 1, "second document");
    expect_error(START "    token: t\n    token: u\n", USER_LINE + 1, 5,
                 "\"token\" is given twice");
}

Test(kubeconfig, refuses_names_that_lead_nowhere)
{
    expect_error("current-context: a\n", 1, 1, "contexts has no \"a\"");
    expect_error("current-context: a\ncontexts: {}\n", 2, 11, "contexts must be a list");
    expect_error("current-context: a\ncontexts: [b, {name: a, context: {cluster: c, user: u}}]\n"
                 "clusters: [{name: c, cluster: {server: 'https://h'}}]\n"
                 "users: [{name: u, user: {token: t}}]\n",
                 2, 12, "name is a string");
    expect_error("current-context: a\ncontexts:\n- name: a\n", 3, 3, "must be a mapping");
    expect_error("current-context: a\ncontexts:\n- {name: a, context: {cluster: c, user: u}}\n"
                 "- {name: a}\nclusters: [{name: c, cluster: {server: 'https://h'}}]\n"
                 "users: [{name: u, user: {token: t}}]\n",
                 4, 10, "\"a\" is given twice");
    expect_error("current-context: a\ncontexts:\n- {name: a, context: {user: u}}\n"
                 "users: [{name: u, user: {token: t}}]\n",
                 3, 22, "cluster is missing");
    expect_error(HEAD CLUSTERS "current-context: a\ncontexts: [{name: a, context: {cluster: "
                               "kubernetes}}]\n",
                 8, 31, "user is missing");
    expect_error(HEAD CLUSTERS CONTEXTS "users: []\n", 12, 5, "users has no \"me\"");
    OWNED_BED struct bed bed = {0};
    cr_assert_eq(
        load(&bed,
             HEAD "clusters: [{name: kubernets, cluster: {server: 'https://h'}}]\n" CONTEXTS USER
                  "    token: t\n"),
        KUBECONFIG_WRONG);
    cr_assert_eq(bed.diags.count, 1);
    cr_expect_str_eq(bed.diags.items[0].hint, "did you mean \"kubernets\"?");
}

/* One line in the place of the cluster's server. */
static void expect_cluster_error(const char *line, unsigned column, const char *message)
{
    OWNED_MEM char *text = NULL;
    cr_assert_gt(asprintf(&text,
                          HEAD "clusters:\n- name: kubernetes\n  cluster:\n%s\n" CONTEXTS USER
                               "    token: t\n",
                          line),
                 0);
    expect_error(text, column == 3 ? 5 : 6, column, message);
}

Test(kubeconfig, refuses_a_cluster_that_cannot_be_trusted)
{
    expect_cluster_error("    x: y", 3, "server is missing");
    expect_cluster_error("    server: ''", 3, "server is missing");
    expect_cluster_error("    server: 1", 5, "must be a string");
    expect_cluster_error("    server: http://h", 5, "must be an https URL");
    expect_cluster_error("    server: 10.0.0.1:6443", 5, "must be an https URL");
    expect_cluster_error("    server: https://", 5, "no host");
    expect_cluster_error("    server: https://:6443", 5, "no host");
    expect_cluster_error("    server: 'https://[::1'", 5, "no host");
    expect_cluster_error("    server: 'https://[]'", 5, "no host");
    expect_cluster_error("    server: https://h:0", 5, "a port that is none");
    expect_cluster_error("    server: https://h:65536", 5, "a port that is none");
    expect_cluster_error("    server: 'https://h:'", 5, "a port that is none");
    expect_cluster_error("    server: https://h:000443", 5, "a port that is none");
    expect_cluster_error("    server: https://user@h", 5, "more behind its host");
    expect_cluster_error("    server: https://h?q", 5, "more behind its host");
    expect_cluster_error("    server: https://h/a?q", 5, "characters that a path cannot have");
    expect_cluster_error("    server: \"https://h/a\\nb\"", 5, "one line");
    expect_cluster_error("    {server: https://h, tls-server-name: 'a b'}", 25, "a host's name");
    expect_cluster_error("    {server: https://h, insecure-skip-tls-verify: true}", 25,
                         "anybody could change");
    expect_cluster_error("    {server: https://h, insecure-skip-tls-verify: 'yes'}", 51,
                         "must be true or false");
    expect_cluster_error("    {server: https://h, certificate-authority-data: '%'}", 25,
                         "is not base64");
    expect_cluster_error("    {server: https://h, certificate-authority-data: QUJD}", 25,
                         "holds no certificate");
}

Test(kubeconfig, warns_of_what_is_not_used)
{
    OWNED_MEM char *pem = NULL, *ca = make_inline(false, &pem), *text = NULL;
    expect_warning(HEAD CLUSTERS "    proxy-url: http://proxy:1\n" CONTEXTS USER "    token: t\n",
                   7, 5, "proxy-url is not used");
    expect_warning(HEAD CLUSTERS CONTEXTS "users: [{name: me, user: {}}]\n", 13, 20,
                   "no credential");
    cr_assert_gt(asprintf(&text,
                          HEAD CLUSTERS "    certificate-authority-data: %s\n"
                                        "    certificate-authority: /ca\n" CONTEXTS USER
                                        "    token: t\n",
                          ca),
                 0);
    expect_warning(text, 8, 5, "certificate-authority is not used");
}

Test(kubeconfig, refuses_what_a_user_cannot_be)
{
    expect_error(START
                 "    exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: aws}\n",
                 USER_LINE, 5, "exec cannot be used");
    expect_error(START "    auth-provider: {name: gcp}\n", USER_LINE, 5, "auth-provider cannot");
    expect_error(START "    username: a\n", USER_LINE, 5, "username cannot be used");
    expect_error(START "    password: a\n", USER_LINE, 5, "password cannot be used");
    expect_error(START "    token: t\n    as: admin\n", USER_LINE + 1, 5, "as cannot be used");
    expect_error(START "    token: 12345\n", USER_LINE, 5, "token must be a string");
    expect_error(START "    token: a b\n", USER_LINE, 5, "without blanks");
    expect_error(START "    token: |\n      a\n", USER_LINE, 5, "one line");
    expect_error(START "    token: \"\\u00e9\"\n", USER_LINE, 5, "printable ASCII");
    expect_error(START "    client-certificate: /c\n", USER_LINE, 5, "has no key");
    expect_error(START "    client-key: /c\n", USER_LINE, 5, "has no certificate");
    expect_error(START "    tokenFile: {}\n", USER_LINE, 5, "must be a string");
    expect_error(START "    {client-certificate: /c, client-key-data: " SECRET "}\n", USER_LINE, 30,
                 "holds no private key");
    expect_error(START "    {client-certificate-data: " SECRET ", client-key: /k}\n", USER_LINE, 6,
                 "holds no certificate");
    OWNED_BED struct bed bed = {0};
    cr_assert_eq(load(&bed, START "    exec: {command: aws}\n"), KUBECONFIG_WRONG);
    cr_expect(strstr(bed.diags.items[0].hint, "a kubeconfig of its own"));
}

Test(kubeconfig, knows_base64_when_it_sees_it)
{
    static const char *const wrong[] = {"=",     "A",      "AA",    "AAA",       "AA=A", "A===",
                                        "AAAA=", "AA==AA", "A A A", "\\u00e9AA", "AA-_", "AAA*"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        char text[1024];
        snprintf(text, sizeof(text),
                 START "    {client-certificate: /c, client-key-data: \"%s\"}\n", wrong[i]);
        expect_error(text, USER_LINE, 30, "client-key-data is not base64");
    }
}

/* A key with a passphrase would be asked for at a terminal. */
Test(kubeconfig, asks_nobody_for_a_passphrase, .timeout = 60)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    cr_assert(key && bio);
    cr_assert_eq(PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(), "word", 4, NULL, NULL),
                 1);
    char *pem, base64[2048], text[4096];
    long len = BIO_get_mem_data(bio, &pem);
    cr_assert(len > 0 && len < 1500);
    EVP_EncodeBlock((unsigned char *)base64, (unsigned char *)pem, (int)len);
    BIO_free(bio);
    EVP_PKEY_free(key);
    snprintf(text, sizeof(text), START "    {client-certificate: /c, client-key-data: %s}\n",
             base64);
    expect_error(text, USER_LINE, 30, "without a passphrase");
}

/* Whatever is wrong, the lines of the file stay in the file. */
Test(kubeconfig, shows_no_secret)
{
    static const char *const texts[] = {
        START "    token: " SECRET "\n    exec: {}\n    password: " SECRET "\n",
        START "    token: [" SECRET "]\n",
        START "    token: [" SECRET "\n",
        START "    token: &" SECRET " x\n",
        START "    token: !" SECRET " x\n",
        START "    token: *" SECRET "\n",
        START "    token: \"" SECRET "\\q\"\n",
        START "    token: '" SECRET "\n",
        START "    token: " SECRET "\n    token: " SECRET "\n",
        START "    token: " SECRET "\xff\n",
        START "    token: \"" SECRET " " SECRET "\"\n",
        START "    client-key-data: " SECRET "\n",
        START "    client-key-data: " SECRET "=\n",
        START "    password: " SECRET "\n",
        START "    as: " SECRET "\n",
        "current-context: " SECRET ": " SECRET "\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        OWNED_BED struct bed bed = {0};
        cr_expect_eq(load(&bed, texts[i]), KUBECONFIG_WRONG, "taken: %s", texts[i]);
        OWNED_MEM char *shown = NULL;
        size_t size;
        FILE *out = open_memstream(&shown, &size);
        diags_print(&bed.diags, out);
        fclose(out);
        cr_expect_null(strstr(shown, SECRET), "%s", shown);
        cr_expect_not_null(strstr(shown, "error: "), "%s", shown);
    }
}
