/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates made on the spot: authorities, a server's, a client's. */
#ifndef CRIGATE_TESTS_API_PKI_H
#define CRIGATE_TESTS_API_PKI_H

#include <openssl/evp.h>
#include <openssl/x509.h>

/* Owned by whoever got it; see pki_free(). */
struct pki_pair {
    X509 *certificate;
    EVP_PKEY *key;
};

enum pki_use { PKI_AUTHORITY, PKI_SERVER, PKI_CLIENT };

struct pki_request {
    enum pki_use use;
    const char *common_name;
    const char *organization; /* NULL: none */
    const char *alt_names;    /* as in openssl.cnf; NULL: none */
    long from_s, to_s;        /* valid from and to, seconds from now */
    long serial;
};

/* `issuer` NULL: signed by itself. Replaces `pair`. */
void pki_issue(struct pki_pair *pair, const struct pki_pair *issuer,
               const struct pki_request *request);
void pki_free(struct pki_pair *pair);

/* PEM of the certificate, the key, or of both in this order; the caller frees it. */
char *pki_pem(const X509 *certificate, const EVP_PKEY *key);

#endif
