/* SPDX-License-Identifier: Apache-2.0 */
/* Sorts by text, then place, so that equal texts stand side by side with the first in front. */
#include "config/unique.h"

#define SMALL_COUNT 16

static int order(const void *a, const void *b)
{
    const struct yaml_node *left = *(const struct yaml_node *const *)a;
    const struct yaml_node *right = *(const struct yaml_node *const *)b;
    int by_text = str_cmp(left->text, right->text);
    if (by_text)
        return by_text;
    if (left->at.line != right->at.line)
        return left->at.line < right->at.line ? -1 : 1;
    return (left->at.column > right->at.column) - (left->at.column < right->at.column);
}

void unique_check_array(const struct yaml_node **nodes, size_t count, unique_twice_fn *twice,
                        void *cookie)
{
    if (count < 2)
        return;
    qsort(nodes, count, sizeof(*nodes), order);
    const struct yaml_node *earlier = nodes[0];
    for (size_t i = 1; i < count; i++) {
        if (str_eq(nodes[i]->text, earlier->text))
            twice(cookie, nodes[i], earlier);
        else
            earlier = nodes[i];
    }
}

/* Without memory of its own: most mappings have a handful of keys. */
static void check_small(const struct yaml_node *first, unique_twice_fn *twice, void *cookie)
{
    for (const struct yaml_node *node = first; node; node = node->next) {
        const struct yaml_node *earlier = first;
        while (earlier != node && !str_eq(earlier->text, node->text))
            earlier = earlier->next;
        if (earlier != node)
            twice(cookie, node, earlier);
    }
}

int unique_check(const struct yaml_node *first, size_t count, unique_twice_fn *twice, void *cookie)
{
    if (count <= SMALL_COUNT) {
        check_small(first, twice, cookie);
        return 0;
    }
    OWNED_MEM const struct yaml_node **nodes = calloc(count, sizeof(*nodes));
    if (!nodes)
        return -1;
    size_t at = 0;
    for (const struct yaml_node *node = first; node; node = node->next)
        nodes[at++] = node;
    unique_check_array(nodes, at, twice, cookie);
    return 0;
}
