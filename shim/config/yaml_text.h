/* SPDX-License-Identifier: Apache-2.0 */
/* What a text and a plain scalar must look like before YAML's grammar counts. */
#ifndef CRIGATE_CONFIG_YAML_TEXT_H
#define CRIGATE_CONFIG_YAML_TEXT_H

#include "config/yaml.h"

/*
 * Checks each character of the source's text: UTF-8, and nothing that shows a person another text
 * than the parser reads. A byte order mark at the start is cut off the text. -1 with one finding at
 * the first bad character.
 */
int yaml_text_check(struct diag_source *source, struct diags *diags) MUST_CHECK;

/* What a scalar without quotes is. */
enum yaml_type yaml_plain_type(struct str text);

#endif
