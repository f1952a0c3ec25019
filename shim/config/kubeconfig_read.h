/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of a kubeconfig, each read from its node. Inside config/ only. A finding stands at the
 * key, and never quotes a value: it may be a secret. An empty string counts as not given, as in
 * kubectl.
 */
#ifndef CRIGATE_CONFIG_KUBECONFIG_READ_H
#define CRIGATE_CONFIG_KUBECONFIG_READ_H

#include "config/kubeconfig.h"
#include "config/reader.h"

struct kubeconfig_reading {
    struct reader reader; /* its arena ends with the reading */
    const char *folder;   /* absolute, of the kubeconfig; "" is the root */
    struct kubeconfig *config;
};

/* `key` is that of the mapping to read. The findings are the outcome; on an error the output is
 * what could be read. */
void kubeconfig_read_cluster(struct kubeconfig_reading *reading, const struct yaml_node *key);
void kubeconfig_read_user(struct kubeconfig_reading *reading, const struct yaml_node *key);

/* The key itself; NULL when it is not there, or null. */
const struct yaml_node *kubeconfig_key(const struct yaml_node *mapping, const char *name);

/* A string of one line without control characters; NULL when it is not given, or wrong. It lives as
 * long as the config. `*key` is where to point at; NULL when it is not given. */
const char *kubeconfig_text(struct kubeconfig_reading *reading, const struct yaml_node *mapping,
                            const char *name, const struct yaml_node **key);

/* The same for the path of a file, made absolute. */
const char *kubeconfig_path(struct kubeconfig_reading *reading, const struct yaml_node *mapping,
                            const char *name);

enum kubeconfig_pem_kind { KUBECONFIG_CERTIFICATE, KUBECONFIG_KEY };

/* `name` for the file, NAME-data for what is inline. Returns the key to point at; NULL when neither
 * is given. */
const struct yaml_node *kubeconfig_pem(struct kubeconfig_reading *reading,
                                       const struct yaml_node *mapping, const char *name,
                                       enum kubeconfig_pem_kind kind, struct kubeconfig_pem *pem);

#endif
