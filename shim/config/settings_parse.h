/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that read crigate.yaml share. */
#ifndef CRIGATE_CONFIG_SETTINGS_PARSE_H
#define CRIGATE_CONFIG_SETTINGS_PARSE_H

#include "config/reader.h"
#include "config/settings.h"

#define SETTINGS_PATH_MAX ((size_t)4095)

/* An absolute path of at most `most` bytes. */
bool settings_read_path(struct reader *reader, const struct yaml_node *node, const char *what,
                        size_t most, const char **path);

/* A uid or gid, without quotes. False, and no finding, when `node` is none. */
bool settings_take_id(const struct yaml_node *node, uint32_t *id);

/* The value of `audit`; what it leaves out gets its default. */
void settings_read_audit(struct reader *reader, const struct yaml_node *node,
                         struct settings_audit *audit);

/* The value of `http`; an empty one is none. */
void settings_read_http(struct reader *reader, const struct yaml_node *node,
                        struct settings_http *http);

#endif
