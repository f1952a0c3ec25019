/* SPDX-License-Identifier: Apache-2.0 */
/* Kubernetes' rules for qualified names, DNS subdomains and label values. */
#include "base/label_syntax.h"

#define NAME_MAX_LEN 63
#define PREFIX_MAX_LEN 253

static bool is_lower_or_digit(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

static bool is_alphanumeric(char byte)
{
    return is_lower_or_digit(byte) || (byte >= 'A' && byte <= 'Z');
}

/* Letters, digits, '-', '_' and '.', with a letter or digit at both ends. */
static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char byte = s.data[i];
        bool is_inner = byte == '-' || byte == '_' || byte == '.';
        if (!is_alphanumeric(byte) && !(is_inner && i > 0 && i + 1 < s.len))
            return false;
    }
    return s.len > 0;
}

/* Dot-separated labels, each of letters, digits and '-', with a letter or digit at both ends. */
static bool is_subdomain(struct str s, bool upper_too)
{
    for (size_t i = 0; i < s.len; i++) {
        char byte = s.data[i];
        bool is_edge = i == 0 || i + 1 == s.len || s.data[i - 1] == '.' || s.data[i + 1] == '.';
        bool is_letter = upper_too ? is_alphanumeric(byte) : is_lower_or_digit(byte);
        if (!is_letter && (is_edge || (byte != '-' && byte != '.')))
            return false;
    }
    return s.len > 0;
}

const char *dns_name_fault(struct str name)
{
    if (name.len > PREFIX_MAX_LEN)
        return "is longer than 253 bytes";
    if (!is_subdomain(name, false))
        return "is not a DNS name (lower-case letters, digits, '-', '.')";
    return NULL;
}

static const char *key_fault(struct str key, bool upper_too)
{
    const char *slash = key.len ? memchr(key.data, '/', key.len) : NULL;
    struct str name = key;
    if (slash) {
        struct str prefix = {.data = key.data, .len = (size_t)(slash - key.data)};
        name = (struct str){.data = slash + 1, .len = key.len - prefix.len - 1};
        if (prefix.len > PREFIX_MAX_LEN)
            return "has a prefix longer than 253 bytes";
        if (!is_subdomain(prefix, upper_too))
            return "has a prefix that is not a DNS name (lower-case letters, digits, '-', '.')";
    }
    if (name.len == 0)
        return "has an empty name";
    if (name.len > NAME_MAX_LEN)
        return "has a name longer than 63 bytes";
    if (!is_name(name))
        return "may hold only letters, digits, '-', '_' and '.', with a letter or digit at both "
               "ends, and one '/' behind a prefix";
    return NULL;
}

const char *label_key_fault(struct str key)
{
    return key_fault(key, false);
}

const char *annotation_key_fault(struct str key)
{
    return key_fault(key, true);
}

const char *label_value_fault(struct str value)
{
    if (value.len > NAME_MAX_LEN)
        return "is longer than 63 bytes";
    if (value.len && !is_name(value))
        return "may hold only letters, digits, '-', '_' and '.', with a letter or digit at both "
               "ends";
    return NULL;
}
