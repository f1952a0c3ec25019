/* SPDX-License-Identifier: Apache-2.0 */
/* Device paths, CDI names, and globs over them: against each text there is, as far as texts go. */
#include <criterion/criterion.h>

#include "policy/device.h"
#include "policy/glob.h"

Test(device, tells_clean_paths)
{
    static const char *const clean[] = {"/dev/fuse", "/a", "/dev/...", "/dev/.a", "/dev/a..", "/ "};
    static const char *const unclean[] = {"",     "/",   "//",   "dev",   "//dev",  "/dev/",
                                          "/.",   "/..", "/./a", "/a/.",  "/a/..",  "/a//b",
                                          "/../", "./a", "../a", "a/../", "/a/../", "/a/./b"};
    for (size_t i = 0; i < sizeof(clean) / sizeof(clean[0]); i++)
        cr_expect(device_path_is_clean(str_of(clean[i])), "%s", clean[i]);
    for (size_t i = 0; i < sizeof(unclean) / sizeof(unclean[0]); i++)
        cr_expect_not(device_path_is_clean(str_of(unclean[i])), "%s", unclean[i]);
}

Test(device, tells_cdi_names)
{
    static const char *const names[] = {"nvidia.com/gpu=0", "v/c=n", "a-b.c_d/e-f_g=h.i:j",
                                        "1/2=3"};
    static const char *const others[] = {"",        "/",       "=",      "a",      "a/b",
                                         "a/b=",    "a=b",     "a/=c",   "a=b/c",  "a/b/c=d",
                                         "a/b=c=d", "a/b=c/d", ".a/b=c", "a/.b=c", "a/b=.c",
                                         "a:b/c=d", "a/b:c=d", "a /b=c", "a/b=c ", "a,b/c=d",
                                         "a/b=c,d", "../b=c",  "a/..=c", "a/b=\n", "\xc3\xa9/b=c"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        cr_expect(device_can_be_listed(str_of(names[i])), "%s", names[i]);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        cr_expect_not(device_can_be_listed(str_of(others[i])), "%s", others[i]);
    cr_expect_not(device_can_be_listed((struct str){.data = "a/b=c\0", .len = 6}));
}

/* The `number`th text of `len` signs from `signs`. */
static struct str text_of(size_t number, size_t len, const char *signs, char *buf)
{
    for (size_t i = 0; i < len; i++) {
        buf[i] = signs[number % strlen(signs)];
        number /= strlen(signs);
    }
    buf[len] = '\0';
    return (struct str){.data = buf, .len = len};
}

static size_t count_texts(size_t len, const char *signs)
{
    size_t count = 1;
    while (len--)
        count *= strlen(signs);
    return count;
}

#define DEVICE_LEN ((size_t)7)
#define GLOB_LEN ((size_t)4)
#define DEVICES_MAX 20000

static char devices[DEVICES_MAX][DEVICE_LEN + 1];

static size_t list_devices(void)
{
    size_t count = 0;
    for (size_t len = 0; len <= DEVICE_LEN; len++) {
        for (size_t i = 0; i < count_texts(len, "a/=."); i++) {
            struct str text = text_of(i, len, "a/=.", devices[count]);
            cr_assert_lt(count, (size_t)DEVICES_MAX - 1);
            count += device_can_be_listed(text);
        }
    }
    return count;
}

static bool matches_any(struct str text, size_t count)
{
    struct glob glob = glob_make(text);
    for (size_t i = 0; i < count; i++) {
        if (glob_match(&glob, str_of(devices[i])))
            return true;
    }
    return false;
}

Test(device, tells_globs_that_match_no_device, .timeout = 60)
{
    size_t count = list_devices(), can = 0, cannot = 0;
    for (size_t len = 0; len <= GLOB_LEN; len++) {
        for (size_t i = 0; i < count_texts(len, "a/=.*?"); i++) {
            char buf[GLOB_LEN + 1];
            struct str text = text_of(i, len, "a/=.*?", buf);
            bool says = device_glob_can_match(text), is = matches_any(text, count);
            bool opens_with_sign = len && (buf[0] == '*' || buf[0] == '?');
            cr_assert(says || !is, "\"%s\" matches a device", buf);
            cr_assert(is || !says || opens_with_sign, "\"%s\" matches none", buf);
            can += says;
            cannot += !says;
        }
    }
    cr_assert(can > 100 && cannot > 100, "%zu can and %zu cannot: little is proved", can, cannot);
}
