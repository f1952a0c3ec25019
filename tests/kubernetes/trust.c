/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the watch believes, and how it shows who it is: certificates and tokens, as they rotate. */
#include <criterion/criterion.h>

#include "bed.h"

static struct bed bed;

static void clean(void)
{
    bed_free(&bed);
}

TestSuite(trust, .fini = clean, .timeout = 60);

static void make(enum api_kubeconfig form)
{
    bed_make(&bed, form);
}

/* No request is ever made of a server that cannot prove who it is. */
static void expect_distrust(enum api_certificate certificate, const char *reason)
{
    make(API_FILES);
    api_present(bed.api, certificate);
    bed_watch(&bed);
    bed_await_log(&bed, reason);
    cr_assert(api_await(bed.api, API_CONNECTIONS, 3));
    cr_expect_eq(api_seen(bed.api).counts[API_REQUESTS], 0);
    cr_expect(bed_is_unknown(&bed));
    cr_expect_eq(bed_logged(&bed, "warning"), 1);
    api_present(bed.api, API_CERT_GOOD);
    bed_await_value(&bed, BED_KEY, "gvisor");
}

Test(trust, not_another_authority)
{
    expect_distrust(API_CERT_OTHER_CA, "/ca.crt)");
}

Test(trust, not_another_host)
{
    expect_distrust(API_CERT_WRONG_HOST, "no alternative certificate subject name matches");
}

Test(trust, not_an_expired_certificate)
{
    expect_distrust(API_CERT_EXPIRED, "expired");
}

static void expect_connected(enum api_kubeconfig form, enum api_demand demand, const char *token)
{
    make(form);
    if (token) {
        api_write_token(bed.api, token);
        bed.kubeconfig = api_write_kubeconfig(bed.api, form);
    }
    api_demand(bed.api, demand, token);
    bed_watch(&bed);
    bed_await_value(&bed, BED_KEY, "gvisor");
    cr_expect_eq(api_seen(bed.api).counts[API_UNAUTHORIZED], 0);
}

Test(trust, shows_the_certificate_of_a_kubelet)
{
    expect_connected(API_KUBELET, API_DEMAND_CERTIFICATE, NULL);
    cr_expect_str_eq(api_seen(bed.api).client_name, "system:node:lab");
}

Test(trust, shows_the_certificate_of_files)
{
    expect_connected(API_FILES, API_DEMAND_CERTIFICATE, NULL);
}

Test(trust, shows_an_inline_certificate)
{
    expect_connected(API_INLINE, API_DEMAND_CERTIFICATE, NULL);
}

Test(trust, shows_a_token)
{
    expect_connected(API_TOKEN, API_DEMAND_TOKEN, "first-token");
}

Test(trust, shows_the_token_of_a_file)
{
    expect_connected(API_TOKEN_FILE, API_DEMAND_TOKEN, "first-token");
}

Test(trust, follows_a_token_that_rotates)
{
    expect_connected(API_TOKEN_FILE, API_DEMAND_TOKEN, "first-token");
    cr_assert(api_await(bed.api, API_OPEN_WATCHES, 1));
    api_demand(bed.api, API_DEMAND_TOKEN, "second-token");
    api_write_token(bed.api, "second-token");
    cr_assert(api_await(bed.api, API_LISTS, 2), "the watch of the old token is given up");
    cr_assert(api_await(bed.api, API_OPEN_WATCHES, 1));
    cr_expect_str_eq(api_seen(bed.api).token, "second-token");
    cr_expect_eq(bed_logged(&bed, "token"), 0);
}

Test(trust, follows_a_certificate_that_rotates)
{
    expect_connected(API_KUBELET, API_DEMAND_CERTIFICATE, NULL);
    cr_assert(api_await(bed.api, API_OPEN_WATCHES, 1));
    api_issue_client(bed.api);
    api_refuse_old_clients(bed.api);
    cr_assert(api_await(bed.api, API_LISTS, 2));
    cr_assert(api_await(bed.api, API_OPEN_WATCHES, 1));
    api_set_labels(bed.api, "a=b");
    bed_await_value(&bed, "a", "b");
}

Test(trust, follows_an_authority_that_rotates)
{
    expect_connected(API_FILES, API_DEMAND_NOTHING, NULL);
    cr_assert(api_await(bed.api, API_OPEN_WATCHES, 1));
    api_rotate_ca(bed.api);
    cr_assert(api_await(bed.api, API_LISTS, 2));
    api_set_labels(bed.api, "a=b");
    bed_await_value(&bed, "a", "b");
}

Test(trust, tells_that_a_credential_is_not_taken)
{
    make(API_ANONYMOUS);
    api_demand(bed.api, API_DEMAND_CERTIFICATE, NULL);
    bed_watch(&bed);
    bed_await_log(&bed, "HTTP 401");
    cr_expect(bed_is_unknown(&bed));
}

Test(trust, names_the_file_that_is_missing)
{
    char path[96];
    make(API_FILES);
    snprintf(path, sizeof(path), "%s/client.crt", bed.dir);
    unlink(path);
    bed_watch(&bed);
    bed_await_log(&bed, "client-certificate /tmp/");
    api_issue_client(bed.api);
    bed_await_value(&bed, BED_KEY, "gvisor");
}

Test(trust, tells_no_token)
{
    make(API_TOKEN_FILE);
    api_write_token(bed.api, "very-secret\x01token");
    bed_watch(&bed);
    bed_await_log(&bed, "a byte that no token has");
    cr_expect_eq(bed_logged(&bed, "secret"), 0);
}

Test(trust, uses_no_proxy)
{
    make(API_FILES);
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    setenv("HTTPS_PROXY", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "socks5://127.0.0.1:1", 1);
    setenv("no_proxy", "", 1);
    bed_watch(&bed);
    bed_await_value(&bed, BED_KEY, "gvisor");
    cr_expect_eq(bed_logged(&bed, "warning"), 0);
}

Test(trust, waits_for_a_kubeconfig)
{
    char path[96];
    make(API_FILES);
    snprintf(path, sizeof(path), "%s.later", bed.kubeconfig);
    cr_assert_eq(rename(bed.kubeconfig, path), 0);
    bed_watch(&bed);
    bed_await_log(&bed, "is not there");
    cr_assert_eq(rename(path, bed.kubeconfig), 0);
    bed_await_value(&bed, BED_KEY, "gvisor");
}

Test(trust, refuses_a_wrong_kubeconfig)
{
    struct err err = {0};
    struct kubernetes *none = NULL;
    make(API_FILES);
    bed_write(bed.kubeconfig, "apiVersion: v1\nkind: Config\nusers: 7\n");
    struct kubernetes_options options = {.kubeconfig = bed.kubeconfig, .node = BED_NODE};
    cr_assert_eq(kubernetes_start(&options, NULL, NULL, &none, &err), -1);
    cr_expect(strstr(err.text, "kubeconfig:1:1: "), "%s", err.text);
}
