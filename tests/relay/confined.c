/* SPDX-License-Identifier: Apache-2.0 */
/* The gate that all tests of this suite go through is confined, in each of its threads. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"

static void expect_line(const char *path, const char *line)
{
    char text[4096];
    FILE *file = fopen(path, "re");
    cr_assert_not_null(file, "%s", path);
    size_t got = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[got] = '\0';
    cr_expect_not_null(strstr(text, line), "%s has no %s: %s", path, line, text);
}

static bool is_named(const char *path, const char *name)
{
    char text[64] = "";
    FILE *file = fopen(path, "re");
    bool read = file && fgets(text, sizeof(text), file);
    if (file)
        fclose(file);
    return read && strncmp(text, name, strlen(name)) == 0;
}

GATE(confined_in_all_threads)
{
    char path[300];
    int threads = 0, listeners = 0;
    if (!IS_CONFINED)
        cr_skip_test("a gate with sanitizers is not");
    /* One that has answered has all its threads. */
    cr_assert_eq(call_unary(&scene->client, SERVICE "Version", "", "", 0, NULL), GRPC_STATUS_OK);
    snprintf(path, sizeof(path), "/proc/%d/task", scene->gate_pid);
    DIR *tasks = opendir(path);
    cr_assert_not_null(tasks);
    for (const struct dirent *task; (task = readdir(tasks));) {
        if (task->d_name[0] == '.')
            continue;
        threads++;
        snprintf(path, sizeof(path), "/proc/%d/task/%s/status", scene->gate_pid, task->d_name);
        expect_line(path, "\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
                          "CapEff:\t0000000000000000\n");
        expect_line(path, "\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n");
        snprintf(path, sizeof(path), "/proc/%d/task/%s/comm", scene->gate_pid, task->d_name);
        listeners += is_named(path, "listen\n");
    }
    closedir(tasks);
    cr_expect_gt(threads, 3);
    cr_expect_eq(listeners, 1, "threads have lost their names");
}
