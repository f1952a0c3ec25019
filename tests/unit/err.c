/* SPDX-License-Identifier: Apache-2.0 */
/* The error value: formatting, context in front, cutting at its size. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"

Test(err, explains_and_wraps)
{
    struct err err = {0};
    cr_assert_eq(err_set_errno(&err, ENOENT, "open %s", "x"), -1);
    cr_assert_str_eq(err.text, "open x: No such file or directory");
    cr_assert_eq(err_wrap(&err, "policy"), -1);
    cr_assert_str_eq(err.text, "policy: open x: No such file or directory");
}

Test(err, cuts_what_is_too_long)
{
    struct err err = {0};
    char big[4096];
    memset(big, 'a', sizeof(big) - 1);
    big[sizeof(big) - 1] = 0;
    cr_assert_eq(err_set(&err, "%s", big), -1);
    cr_assert_eq(strlen(err.text), sizeof(err.text) - 1);
    cr_assert_eq(err_wrap(&err, "%s", big), -1);
    cr_assert_eq(strlen(err.text), sizeof(err.text) - 1);
}

Test(err, may_be_unwanted)
{
    cr_assert_eq(err_set(NULL, "x"), -1);
    cr_assert_eq(err_set_errno(NULL, ENOENT, "x"), -1);
    cr_assert_eq(err_wrap(NULL, "x"), -1);
}
