/* SPDX-License-Identifier: Apache-2.0 */
/* Makes keys and certificates with OpenSSL. */
#include "pki.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "must.h"

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    must(extension && X509_add_ext(certificate, extension, -1));
    X509_EXTENSION_free(extension);
}

static void add_name(X509_NAME *name, const char *field, const char *value)
{
    if (value)
        must(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value,
                                        -1, -1, 0));
}

static void add_uses(X509 *certificate, X509 *issuer, const struct pki_request *request)
{
    if (request->use == PKI_AUTHORITY) {
        add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE");
        add_extension(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    } else {
        add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE");
        add_extension(certificate, issuer, NID_ext_key_usage,
                      request->use == PKI_SERVER ? "serverAuth" : "clientAuth");
    }
    if (request->alt_names)
        add_extension(certificate, issuer, NID_subject_alt_name, request->alt_names);
}

void pki_issue(struct pki_pair *pair, const struct pki_pair *issuer,
               const struct pki_request *request)
{
    struct pki_pair made = {X509_new(), EVP_EC_gen("P-256")};
    must(made.certificate && made.key);
    const struct pki_pair *signer = issuer ? issuer : &made;
    must(X509_set_version(made.certificate, X509_VERSION_3));
    must(ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), request->serial));
    must(X509_gmtime_adj(X509_getm_notBefore(made.certificate), request->from_s));
    must(X509_gmtime_adj(X509_getm_notAfter(made.certificate), request->to_s));
    X509_NAME *name = X509_get_subject_name(made.certificate);
    add_name(name, "O", request->organization);
    add_name(name, "CN", request->common_name);
    must(X509_set_issuer_name(made.certificate, X509_get_subject_name(signer->certificate)));
    must(X509_set_pubkey(made.certificate, made.key));
    add_uses(made.certificate, signer->certificate, request);
    must(X509_sign(made.certificate, signer->key, EVP_sha256()));
    pki_free(pair);
    *pair = made;
}

void pki_free(struct pki_pair *pair)
{
    X509_free(pair->certificate);
    EVP_PKEY_free(pair->key);
    *pair = (struct pki_pair){0};
}

char *pki_pem(const X509 *certificate, const EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    must(bio);
    must(!certificate || PEM_write_bio_X509(bio, certificate));
    must(!key || PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    char *text = strndup(data, (size_t)len);
    must(text);
    BIO_free(bio);
    return text;
}
