/* SPDX-License-Identifier: Apache-2.0 */
/* Parses node labels from a file or a command line. */
#include <time.h>

#include "base/arena.h"
#include "base/label_syntax.h"
#include "base/utf8.h"
#include "node/labels.h"

/* A text that is being read: items between separators. */
struct input {
    const char *path; /* NULL for a command line */
    struct str text;
    char separator;
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static struct str trim(struct str s)
{
    while (s.len && is_blank(s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len && is_blank(s.data[s.len - 1]))
        s.len--;
    return s;
}

/* Cuts the front of `rest` off at `separator`, which is dropped. */
static struct str cut(struct str *rest, char separator)
{
    const char *end = memchr(rest->data, separator, rest->len);
    struct str front = {.data = rest->data, .len = end ? (size_t)(end - rest->data) : rest->len};
    size_t taken = front.len + (end ? 1 : 0);
    rest->data += taken;
    rest->len -= taken;
    return front;
}

static unsigned characters(const char *from, const char *to)
{
    unsigned count = 0;
    while (from < to) {
        uint32_t point;
        size_t len = utf8_decode((struct str){.data = from, .len = (size_t)(to - from)}, &point);
        from += len ? len : 1;
        count++;
    }
    return count;
}

/* `at` points into the text, or just behind it. */
static int fail(const struct input *input, const char *at, const char *message, struct err *err)
{
    const char *line = input->text.data;
    unsigned number = 1;
    for (const char *byte = line; byte < at; byte++) {
        if (*byte == '\n') {
            number++;
            line = byte + 1;
        }
    }
    unsigned column = characters(line, at) + 1;
    if (input->path)
        return err_set(err, "%s:%u:%u: %s", input->path, number, column, message);
    return err_set(err, "character %u of the node labels: %s", column, message);
}

static int parse_label(const struct input *input, struct str item, struct label *label,
                       struct err *err)
{
    char message[384];
    struct str value = item;
    struct str key = trim(cut(&value, '='));
    if (!memchr(item.data, '=', item.len))
        return fail(input, key.data, "a label is written key=value", err);
    const char *fault = label_key_fault(key);
    if (fault) {
        snprintf(message, sizeof(message), "the label key %s", fault);
        return fail(input, key.data, message, err);
    }
    value = trim(value);
    fault = label_value_fault(value);
    if (fault) {
        snprintf(message, sizeof(message), "the value of the label %s", fault);
        return fail(input, value.data, message, err);
    }
    *label = (struct label){.key = key, .value = value};
    return 0;
}

static int fail_twice(const struct input *input, const struct label *items, size_t count,
                      struct str key, struct err *err)
{
    const char *last = NULL;
    for (size_t i = 0; i < count; i++) {
        if (str_eq(items[i].key, key) && (!last || items[i].key.data > last))
            last = items[i].key.data;
    }
    return fail(input, last, "this label is given twice; keep one", err);
}

static size_t count_separators(const struct input *input)
{
    size_t count = 0;
    for (size_t i = 0; i < input->text.len; i++)
        count += input->text.data[i] == input->separator;
    return count;
}

/* A blank line or a comment of a file; a command line has neither. */
static bool is_passed_over(const struct input *input, struct str item)
{
    struct str content = trim(item);
    return input->path && (content.len == 0 || content.data[0] == '#');
}

/* The labels of the text; items and strings are the arena's. */
static int parse(const struct input *input, struct arena *arena, struct label_set *set,
                 struct err *err)
{
    size_t room = input->text.len ? count_separators(input) + 1 : 0, count = 0;
    struct label *items = arena_array(arena, room, sizeof(*items));
    if (!items)
        return err_set(err, "memory is out");
    struct str rest = input->text, twice;
    for (size_t i = 0; i < room; i++) {
        struct str item = cut(&rest, input->separator);
        if (is_passed_over(input, item))
            continue;
        if (parse_label(input, item, &items[count], err))
            return -1;
        count++;
    }
    if (label_set_make(items, count, set, &twice))
        return fail_twice(input, items, count, twice, err);
    return 0;
}

/* Turns the unknown snapshot into one that knows the text's labels, unless the text is wrong. */
static int take(const struct input *input, struct arena *arena, const char *source,
                struct node_labels **labels, struct err *err)
{
    struct label_set set;
    if (parse(input, arena, &set, err))
        return -1;
    struct node_labels *known = node_labels_make(
        &set, (struct node_labels_origin){.source = source, .seen = (int64_t)time(NULL)});
    if (!known)
        return err_set(err, "memory is out");
    node_labels_unref(*labels);
    *labels = known;
    return 0;
}

int node_labels_parse_file(const char *path, struct str text, struct node_labels **labels,
                           struct err *err)
{
    OWNED_ARENA struct arena arena = {0};
    struct input input = {.path = path, .text = text, .separator = '\n'};
    *labels = node_labels_unknown();
    if (!*labels)
        return err_set(err, "memory is out");
    return take(&input, &arena, "file", labels, err);
}

int node_labels_parse(const char *text, struct node_labels **labels, struct err *err)
{
    OWNED_ARENA struct arena arena = {0};
    struct input input = {.text = str_of(text), .separator = ','};
    *labels = node_labels_unknown();
    if (!*labels)
        return err_set(err, "memory is out");
    return take(&input, &arena, "none", labels, err);
}
