/* SPDX-License-Identifier: Apache-2.0 */
/* Host paths and CDI names, and which globs can match any. */
#include "policy/device.h"

bool device_path_is_clean(struct str path)
{
    if (path.len == 0 || path.data[0] != '/')
        return false;
    for (size_t start = 1, end; start <= path.len; start = end + 1) {
        for (end = start; end < path.len && path.data[end] != '/';)
            end++;
        struct str part = {.data = path.data + start, .len = end - start};
        if (part.len == 0 || str_eq(part, STR(".")) || str_eq(part, STR("..")))
            return false;
    }
    return true;
}

/* Where the reading of a CDI name stands; a set of such states is a word of their bits. */
enum {
    BEFORE_VENDOR = 1u << 0,
    IN_VENDOR = 1u << 1,
    BEFORE_CLASS = 1u << 2,
    IN_CLASS = 1u << 3,
    BEFORE_NAME = 1u << 4,
    IN_NAME = 1u << 5,
};

static bool is_alphanumeric(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9');
}

/* Each part begins with a letter or a digit. */
static unsigned after_first(unsigned states)
{
    return (states & (BEFORE_VENDOR | BEFORE_CLASS | BEFORE_NAME)) << 1;
}

static unsigned after_byte(unsigned states, char byte)
{
    if (byte == '/')
        return states & IN_VENDOR ? BEFORE_CLASS : 0;
    if (byte == '=')
        return states & IN_CLASS ? BEFORE_NAME : 0;
    if (byte == ':')
        return states & IN_NAME;
    unsigned inside = states & (IN_VENDOR | IN_CLASS | IN_NAME);
    if (is_alphanumeric(byte))
        return inside | after_first(states);
    return byte == '-' || byte == '_' || byte == '.' ? inside : 0;
}

/* After some byte, whichever: 'a', '/' and '=' do all that any can. */
static unsigned after_any(unsigned states)
{
    return after_byte(states, 'a') | after_byte(states, '/') | after_byte(states, '=');
}

static unsigned after_star(unsigned states)
{
    unsigned before;
    do {
        before = states;
        states |= after_any(states);
    } while (states != before);
    return states;
}

static bool is_cdi_name(struct str device)
{
    unsigned states = BEFORE_VENDOR;
    for (size_t i = 0; i < device.len; i++)
        states = after_byte(states, device.data[i]);
    return states & IN_NAME;
}

bool device_can_be_listed(struct str device)
{
    return device_path_is_clean(device) || is_cdi_name(device);
}

bool device_glob_can_match(struct str glob)
{
    if (glob.len == 0)
        return false;
    if (glob.data[0] == '/')
        return device_path_is_clean(glob);
    if (glob.data[0] == '*' || glob.data[0] == '?')
        return true; /* which may stand for the '/' of a path */
    unsigned states = BEFORE_VENDOR;
    for (size_t i = 0; i < glob.len; i++) {
        char byte = glob.data[i];
        states = byte == '*'   ? after_star(states)
                 : byte == '?' ? after_any(states)
                               : after_byte(states, byte);
    }
    return states & IN_NAME;
}
