/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a kubeconfig and the files it names, and tells later whether they are still the same. */
#include "kubernetes/api_access.h"

#include "base/file.h"
#include "config/diag.h"

/* A bundle of all public authorities takes 250 KB. */
#define PEM_MAX ((size_t)1024 * 1024)
#define TOKEN_MAX ((size_t)64 * 1024)

/* Remembers `path` as it is before it is read: a change in between is then seen as one. */
static void remember(struct api_access *access, const char *path)
{
    struct api_access_file *file = &access->files[access->file_count++];
    file->path = path;
    if (stat(path, &file->stat))
        file->stat = (struct stat){0};
}

static int read_pem(struct api_access *access, const struct kubeconfig_pem *pem, const char *what,
                    struct str *text, struct err *err)
{
    if (pem->data.data) {
        *text = pem->data;
        return 0;
    }
    if (!pem->file)
        return 0;
    remember(access, pem->file);
    if (file_read(pem->file, PEM_MAX, &access->arena, text, err))
        return err_wrap(err, "%s %s", what, pem->file);
    if (text->len == 0)
        return err_set(err, "%s %s: it is empty", what, pem->file);
    return 0;
}

static bool is_white(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static struct str trim(struct str s)
{
    while (s.len && is_white(s.data[s.len - 1]))
        s.len--;
    while (s.len && is_white(s.data[0])) {
        s.data++;
        s.len--;
    }
    return s;
}

/* It becomes part of a header: what is not plain could end the header and begin another. */
static int check_token(struct str token, const char *where, struct err *err)
{
    for (size_t i = 0; i < token.len; i++) {
        if (token.data[i] <= ' ' || token.data[i] > '~')
            return err_set(err, "the token of %s has a byte that no token has, at offset %zu",
                           where, i);
    }
    return token.len ? 0 : err_set(err, "the token of %s is empty", where);
}

static int read_token(struct api_access *access, const char *kubeconfig, struct err *err)
{
    const struct kubeconfig *config = &access->config;
    const char *where = config->token_file ? config->token_file : kubeconfig;
    if (config->token_file) {
        struct str text;
        remember(access, config->token_file);
        if (file_read(config->token_file, TOKEN_MAX, &access->arena, &text, err))
            return err_wrap(err, "tokenFile %s", config->token_file);
        access->token = trim(text);
    } else if (config->token) {
        access->token = str_of(config->token);
    } else {
        return 0;
    }
    return check_token(access->token, where, err);
}

static int read_kubeconfig(const char *path, struct kubeconfig *config, struct err *err)
{
    OWNED_DIAGS struct diags diags = {0};
    struct kubeconfig read = {0};
    switch (kubeconfig_load(path, &diags, &read)) {
    case KUBECONFIG_READ:
        *config = read;
        return 0;
    case KUBECONFIG_MISSING:
        return err_set(err, "kubeconfig %s is not there; a node has it once it joined its cluster",
                       path);
    case KUBECONFIG_WRONG:
        break;
    }
    return diags_first(&diags, err);
}

int api_access_read(const char *kubeconfig, struct api_access *access, struct err *err)
{
    struct kubeconfig *config = &access->config;
    remember(access, kubeconfig);
    if (read_kubeconfig(kubeconfig, config, err) ||
        read_pem(access, &config->ca, "certificate-authority", &access->ca, err) ||
        read_pem(access, &config->certificate, "client-certificate", &access->certificate, err) ||
        read_pem(access, &config->key, "client-key", &access->key, err))
        return -1;
    return read_token(access, kubeconfig, err);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

bool api_access_changed(const struct api_access *access)
{
    for (size_t i = 0; i < access->file_count; i++) {
        struct stat now;
        if (stat(access->files[i].path, &now) || !is_same(&now, &access->files[i].stat))
            return true;
    }
    return false;
}

void api_access_free(struct api_access *access)
{
    kubeconfig_free(&access->config);
    arena_free(&access->arena);
    *access = (struct api_access){0};
}
