/* SPDX-License-Identifier: Apache-2.0 */
/* The page's bytes, as the build puts them in, and the hashes of what is inline in it. */
#include "status/page.h"

#include <openssl/evp.h>
#include <stdio.h>

static const unsigned char page[] = {
#include "page_bytes.h"
};

#define SHA256_BYTES 32
#define HASH_SIZE 64 /* base64, and its NUL */

struct str page_text(void)
{
    return (struct str){(const char *)page, sizeof(page)};
}

/* Of what stands between the only `open` and the `close` behind it, as CSP wants it. */
static int hash_between(const char *open, const char *close, char hash[HASH_SIZE], struct err *err)
{
    struct str text = page_text();
    const char *from = memmem(text.data, text.len, open, strlen(open)), *end = text.data + text.len;
    const char *to = from ? memmem(from, (size_t)(end - from), close, strlen(close)) : NULL;
    unsigned char digest[SHA256_BYTES];
    if (!to)
        return err_set(err, "the status page has no %s", open);
    from += strlen(open);
    if (!EVP_Digest(from, (size_t)(to - from), digest, NULL, EVP_sha256(), NULL))
        return err_set(err, "the status page: no SHA-256");
    EVP_EncodeBlock((unsigned char *)hash, digest, SHA256_BYTES);
    return 0;
}

int page_security_policy(char *buf, size_t size, struct err *err)
{
    char script[HASH_SIZE], style[HASH_SIZE];
    if (hash_between("<script>", "</script>", script, err) < 0 ||
        hash_between("<style>", "</style>", style, err) < 0)
        return -1;
    snprintf(buf, size,
             "default-src 'none'; script-src 'sha256-%s'; style-src 'sha256-%s'; "
             "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
             "frame-ancestors 'none'",
             script, style);
    return 0;
}
