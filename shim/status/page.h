/* SPDX-License-Identifier: Apache-2.0 */
/* The status page, page.html, as part of the program. */
#ifndef CRIGATE_STATUS_PAGE_H
#define CRIGATE_STATUS_PAGE_H

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"

struct str page_text(void);

/* The value of its Content-Security-Policy: nothing may be loaded, run or styled but what the page
 * itself has, known by its SHA-256. -1: no hash could be had. */
int page_security_policy(char *buf, size_t size, struct err *err) MUST_CHECK;

#endif
