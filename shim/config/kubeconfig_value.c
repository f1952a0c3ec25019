/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the values of a kubeconfig: words, paths, and certificates and keys in base64. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "config/kubeconfig_read.h"

#define TEXT_MAX ((size_t)16384) /* of a token; a path is shorter */
#define PATH_LENGTH_MAX ((size_t)4095)

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const struct yaml_node *kubeconfig_key(const struct yaml_node *mapping, const char *name)
{
    if (!mapping || mapping->kind != YAML_MAPPING)
        return NULL;
    for (const struct yaml_node *key = mapping->first; key; key = key->next) {
        const struct yaml_node *value = key->value;
        if (str_eq(key->text, str_of(name)))
            return value->kind == YAML_SCALAR && value->type == YAML_NULL ? NULL : key;
    }
    return NULL;
}

/* The key of a string that is not empty; NULL otherwise. */
static const struct yaml_node *find_string(struct kubeconfig_reading *reading,
                                           const struct yaml_node *mapping, const char *name)
{
    const struct yaml_node *key = kubeconfig_key(mapping, name);
    if (!key)
        return NULL;
    if (key->value->kind != YAML_SCALAR || key->value->type != YAML_STRING) {
        reader_error(&reading->reader, key,
                     key->value->kind == YAML_SCALAR ? "put it in quotes" : NULL,
                     "%s must be a string", name);
        return NULL;
    }
    return key->value->text.len ? key : NULL;
}

static bool is_one_line(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return false;
    }
    return true;
}

static const char *keep(struct kubeconfig_reading *reading, struct str text)
{
    const char *kept = arena_str(&reading->config->arena, text).data;
    if (!kept)
        diags_add_memory_out(reading->reader.diags);
    return kept;
}

const char *kubeconfig_text(struct kubeconfig_reading *reading, const struct yaml_node *mapping,
                            const char *name, const struct yaml_node **key)
{
    *key = find_string(reading, mapping, name);
    if (!*key)
        return NULL;
    struct str text = (*key)->value->text;
    if (text.len > TEXT_MAX) {
        reader_error(&reading->reader, *key, NULL, "%s is longer than %zu bytes", name, TEXT_MAX);
        return NULL;
    }
    if (!is_one_line(text)) {
        reader_error(&reading->reader, *key, NULL, "%s must be one line without control characters",
                     name);
        return NULL;
    }
    return keep(reading, text);
}

const char *kubeconfig_path(struct kubeconfig_reading *reading, const struct yaml_node *mapping,
                            const char *name)
{
    const struct yaml_node *key;
    const char *path = kubeconfig_text(reading, mapping, name, &key);
    if (!path)
        return NULL;
    size_t folder_len = path[0] == '/' ? 0 : strlen(reading->folder) + 1;
    size_t len = strlen(path);
    if (folder_len + len > PATH_LENGTH_MAX) {
        reader_error(&reading->reader, key, NULL, "%s is longer than %zu bytes", name,
                     PATH_LENGTH_MAX);
        return NULL;
    }
    if (!folder_len)
        return path;
    char *whole = arena_alloc(&reading->config->arena, folder_len + len + 1);
    if (!whole) {
        diags_add_memory_out(reading->reader.diags);
        return NULL;
    }
    sprintf(whole, "%s/%s", reading->folder, path);
    return whole;
}

/* As Go's decoder, which kubectl uses: newlines are passed over, padding is due. -1: it is none, or
 * memory is out. The output is in `arena`. */
static int decode(struct arena *arena, struct str text, struct str *data)
{
    char *packed = arena_alloc(arena, text.len + 1);
    char *bytes = arena_alloc(arena, text.len / 4 * 3 + 4);
    if (!packed || !bytes)
        return -1;
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '\n' && text.data[i] != '\r')
            packed[len++] = text.data[i];
    }
    size_t digits = strspn(packed, alphabet), padding = strspn(packed + digits, "=");
    if (len == 0 || len % 4 || len > INT32_MAX || padding > 2 || digits + padding != len)
        return -1;
    int got = EVP_DecodeBlock((unsigned char *)bytes, (unsigned char *)packed, (int)len);
    if (got < 0 || (size_t)got < padding)
        return -1;
    *data = (struct str){.data = bytes, .len = (size_t)got - padding};
    return 0;
}

/* A key that is locked asks for a passphrase; nobody is there to type one. */
static int no_passphrase(char *buf, int size, int rwflag, void *cookie)
{
    (void)buf, (void)size, (void)rwflag, (void)cookie;
    return -1;
}

static bool holds_pem(struct str data, enum kubeconfig_pem_kind kind)
{
    BIO *bio = BIO_new_mem_buf(data.data, (int)data.len);
    bool found = false;
    if (bio && kind == KUBECONFIG_CERTIFICATE) {
        X509 *certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
        found = certificate != NULL;
        X509_free(certificate);
    } else if (bio) {
        EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
        found = key != NULL;
        EVP_PKEY_free(key);
    }
    BIO_free(bio);
    ERR_clear_error();
    return found;
}

static void read_inline(struct kubeconfig_reading *reading, const struct yaml_node *key,
                        enum kubeconfig_pem_kind kind, struct str *data)
{
    struct reader *reader = &reading->reader;
    struct str read;
    if (decode(&reading->config->arena, key->value->text, &read)) {
        reader_error(reader, key, "it is one line of `base64 -w0 FILE`", "%.*s is not base64",
                     STR_FMT(key->text));
        return;
    }
    if (!holds_pem(read, kind)) {
        reader_error(reader, key,
                     kind == KUBECONFIG_KEY ? "it begins with -----BEGIN PRIVATE KEY-----"
                                            : "it begins with -----BEGIN CERTIFICATE-----",
                     "%.*s holds no %s in PEM", STR_FMT(key->text),
                     kind == KUBECONFIG_KEY ? "private key without a passphrase" : "certificate");
        return;
    }
    *data = read;
}

const struct yaml_node *kubeconfig_pem(struct kubeconfig_reading *reading,
                                       const struct yaml_node *mapping, const char *name,
                                       enum kubeconfig_pem_kind kind, struct kubeconfig_pem *pem)
{
    char inline_name[64];
    snprintf(inline_name, sizeof(inline_name), "%s-data", name);
    const struct yaml_node *data_key = find_string(reading, mapping, inline_name);
    const struct yaml_node *file_key = find_string(reading, mapping, name);
    if (data_key)
        read_inline(reading, data_key, kind, &pem->data);
    if (data_key && file_key)
        reader_warning(&reading->reader, file_key, NULL, "%s is not used: %s wins", name,
                       inline_name);
    else if (file_key)
        pem->file = kubeconfig_path(reading, mapping, name);
    return data_key ? data_key : file_key;
}
