/* SPDX-License-Identifier: Apache-2.0 */
/* Parses node labels from a file or a command line into an immutable snapshot. */
#include "node/labels.h"

#include <stdatomic.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/label_syntax.h"
#include "base/utf8.h"

#define LABELS_FILE_MAX ((size_t)1024 * 1024)

struct node_labels {
    atomic_uint refs;
    bool known;
    struct label_set set;
    struct arena arena; /* owns the set */
};

/* A text that is being read: items between separators. */
struct input {
    const char *path; /* NULL for a command line */
    struct str text;
    char separator;
};

struct node_labels *node_labels_unknown(void)
{
    struct node_labels *labels = calloc(1, sizeof(*labels));
    if (labels)
        atomic_init(&labels->refs, 1);
    return labels;
}

const struct label_set *node_labels_set(const struct node_labels *labels)
{
    return labels->known ? &labels->set : NULL;
}

struct node_labels *node_labels_ref(struct node_labels *labels)
{
    atomic_fetch_add_explicit(&labels->refs, 1, memory_order_relaxed);
    return labels;
}

void node_labels_unref(struct node_labels *labels)
{
    if (atomic_fetch_sub_explicit(&labels->refs, 1, memory_order_acq_rel) != 1)
        return;
    arena_free(&labels->arena);
    free(labels);
}

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

/* Fills `labels` from the text, which its arena owns, and makes it known. */
static int parse(const struct input *input, struct node_labels *labels, struct err *err)
{
    size_t room = input->text.len ? count_separators(input) + 1 : 0, count = 0;
    struct label *items = arena_array(&labels->arena, room, sizeof(*items));
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
    if (label_set_make(items, count, &labels->set, &twice))
        return fail_twice(input, items, count, twice, err);
    labels->known = true;
    return 0;
}

int node_labels_read(const char *path, struct node_labels **labels, struct err *err)
{
    struct input input = {.path = path, .separator = '\n'};
    *labels = node_labels_unknown();
    if (!*labels)
        return err_set(err, "memory is out");
    if (file_read(path, LABELS_FILE_MAX, &(*labels)->arena, &input.text, err))
        return err_wrap(err, "%s", path);
    return parse(&input, *labels, err);
}

int node_labels_parse(const char *text, struct node_labels **labels, struct err *err)
{
    *labels = node_labels_unknown();
    if (!*labels)
        return err_set(err, "memory is out");
    struct input input = {.text = arena_str(&(*labels)->arena, str_of(text)), .separator = ','};
    if (!input.text.data)
        return err_set(err, "memory is out");
    return parse(&input, *labels, err);
}
