/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a kubeconfig's user: the credential that is shown to the API server. */
#include "config/kubeconfig_read.h"

#define OWN_CREDENTIAL                                                                  \
    "give crigate a kubeconfig of its own, with tokenFile, or with client-certificate " \
    "and client-key"

struct refused_key {
    const char *name, *why;
};

static void refuse_other_ways(struct kubeconfig_reading *reading, const struct yaml_node *user)
{
    static const struct refused_key refused[] = {
        {"exec", "crigate runs no programs to get a credential"},
        {"auth-provider", "crigate has no such plugins"},
        {"username", "an API server takes no passwords any more"},
        {"password", "an API server takes no passwords any more"},
        {"as", "crigate asks for the node's labels in no other name than the credential's"},
        {"as-uid", "crigate asks for the node's labels in no other name than the credential's"},
        {"as-groups", "crigate asks for the node's labels in no other name than the credential's"},
        {"as-user-extra",
         "crigate asks for the node's labels in no other name than the credential's"},
    };
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        const struct yaml_node *key = kubeconfig_key(user, refused[i].name);
        bool is_empty = key && key->value->kind == YAML_SCALAR && key->value->text.len == 0;
        if (key && !is_empty)
            reader_error(&reading->reader, key, OWN_CREDENTIAL, "%s cannot be used: %s",
                         refused[i].name, refused[i].why);
    }
}

/* What may stand in a header behind "Bearer ". */
static bool is_token(const char *token)
{
    for (; *token; token++) {
        if (*token < 0x21 || *token > 0x7e)
            return false;
    }
    return true;
}

static void read_token(struct kubeconfig_reading *reading, const struct yaml_node *user)
{
    const struct yaml_node *key;
    const char *token = kubeconfig_text(reading, user, "token", &key);
    if (token && !is_token(token))
        reader_error(&reading->reader, key, NULL,
                     "token must be printable ASCII without blanks, all of it the token");
    reading->config->token = token;
    reading->config->token_file = kubeconfig_path(reading, user, "tokenFile");
}

void kubeconfig_read_user(struct kubeconfig_reading *reading, const struct yaml_node *user_key)
{
    struct reader *reader = &reading->reader;
    struct kubeconfig *config = reading->config;
    const struct yaml_node *user = user_key->value;
    size_t errors_before = reader->diags->errors;
    refuse_other_ways(reading, user);
    read_token(reading, user);
    const struct yaml_node *certificate = kubeconfig_pem(
        reading, user, "client-certificate", KUBECONFIG_CERTIFICATE, &config->certificate);
    const struct yaml_node *key =
        kubeconfig_pem(reading, user, "client-key", KUBECONFIG_KEY, &config->key);
    if (certificate && !key)
        reader_error(reader, certificate, "add client-key or client-key-data",
                     "the client certificate has no key");
    if (key && !certificate)
        reader_error(reader, key, "add client-certificate or client-certificate-data",
                     "the client key has no certificate");
    bool has_credential = certificate || key || config->token || config->token_file;
    if (!has_credential && reader->diags->errors == errors_before)
        reader_warning(reader, user_key, OWN_CREDENTIAL,
                       "the user has no credential: an API server shows nobody a Node unasked");
}
