/* SPDX-License-Identifier: Apache-2.0 */
/* The API server as a program for shell tests: a command a line on standard input. */
#include "api.h"
#include "must.h"

static const char usage[] =
    "usage: fake-apiserver DIR NODE <COMMANDS\n"
    "Prints `ready PORT`, then `ok ...` or `error ...` for each command; ends with its input.\n"
    "  labels A=B,C=D | touch | delete | bookmark | expire | padding BYTES\n"
    "  push JSON | replay FILE\n"
    "  end-watches | cut-watches | down | up\n"
    "  fault connect|list|watch KIND [TIMES [STATUS-OR-DELAY-MS [RETRY-AFTER-S]]]\n"
    "    KIND: none hang hang-tls hang-body cut cut-headers cut-body status garbage empty gone "
    "drip\n"
    "  certificate good|other-ca|expired|wrong-host | rotate-ca\n"
    "  demand nothing|certificate|token [TOKEN]\n"
    "  issue-client | refuse-old-clients | token TOKEN\n"
    "  kubeconfig kubelet|files|inline|token|token-file|anonymous\n"
    "  seen | await COUNT N\n"
    "    COUNT: connections handshakes handshakes-failed requests lists watches unauthorized\n"
    "           open-watches\n";

static const char *const fault_kinds[] = {
    "none",   "hang",    "hang-tls", "hang-body", "cut",  "cut-headers", "cut-body",
    "status", "garbage", "empty",    "gone",      "drip", NULL};
static const char *const whens[] = {"connect", "list", "watch", NULL};
static const char *const certificates[] = {"good", "other-ca", "expired", "wrong-host", NULL};
static const char *const demands[] = {"nothing", "certificate", "token", NULL};
static const char *const forms[] = {"kubelet",    "files",     "inline", "token",
                                    "token-file", "anonymous", NULL};
static const char *const counts[] = {"connections",  "handshakes",   "handshakes-failed",
                                     "requests",     "lists",        "watches",
                                     "unauthorized", "open-watches", NULL};

/* The index of a word, -1 when it is none of them. */
static int word_of(const char *const *words, const char *word)
{
    for (int i = 0; word && words[i]; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return -1;
}

static int number_of(const char *word)
{
    return word ? atoi(word) : 0;
}

static bool set_fault(struct api *api, char **rest)
{
    int when = word_of(whens, strsep(rest, " "));
    int kind = word_of(fault_kinds, strsep(rest, " "));
    int times = number_of(strsep(rest, " ")), value = number_of(strsep(rest, " "));
    int retry_after_s = number_of(strsep(rest, " "));
    if (when < 0 || kind < 0)
        return false;
    struct api_fault fault = {.kind = (enum api_fault_kind)kind,
                              .times = (unsigned)times,
                              .status = value,
                              .delay_ms = value,
                              .retry_after_s = retry_after_s};
    api_set_fault(api, (enum api_when)when, &fault);
    return true;
}

static bool show_seen(struct api *api)
{
    struct api_seen seen = api_seen(api);
    for (int i = 0; counts[i]; i++)
        printf("%s %u\n", counts[i], seen.counts[i]);
    printf("path %s\nquery %s\ntoken %s\nclient %s\nagent %s\n", seen.path, seen.query, seen.token,
           seen.client_name, seen.agent);
    return true;
}

/* Commands without an argument. */
static bool run_plain(struct api *api, const char *command)
{
    static const struct {
        const char *name;
        void (*run)(struct api *api);
    } plain[] = {
        {"touch", api_touch},
        {"delete", api_delete_node},
        {"bookmark", api_bookmark},
        {"expire", api_expire},
        {"down", api_down},
        {"up", api_up},
        {"rotate-ca", api_rotate_ca},
        {"issue-client", api_issue_client},
        {"end-watches", api_end_watches},
        {"cut-watches", api_cut_watches},
        {"refuse-old-clients", api_refuse_old_clients},
    };
    for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
        if (strcmp(plain[i].name, command) == 0) {
            plain[i].run(api);
            return true;
        }
    }
    return false;
}

/* Commands with a word of a list. */
static bool run_choice(struct api *api, const char *command, char *rest)
{
    char *first = strsep(&rest, " ");
    int index;
    if (strcmp(command, "certificate") == 0 && (index = word_of(certificates, first)) >= 0)
        api_present(api, (enum api_certificate)index);
    else if (strcmp(command, "demand") == 0 && (index = word_of(demands, first)) >= 0)
        api_demand(api, (enum api_demand)index, rest);
    else if (strcmp(command, "kubeconfig") == 0 && (index = word_of(forms, first)) >= 0)
        api_write_kubeconfig(api, (enum api_kubeconfig)index);
    else if (strcmp(command, "await") == 0 && (index = word_of(counts, first)) >= 0)
        return api_await(api, (enum api_count)index, (unsigned)number_of(rest));
    else
        return false;
    return true;
}

static bool run(struct api *api, char *line)
{
    char *rest = line, *command = strsep(&rest, " ");
    if (!rest)
        return strcmp(command, "seen") == 0 ? show_seen(api) : run_plain(api, command);
    if (strcmp(command, "labels") == 0)
        api_set_labels(api, rest);
    else if (strcmp(command, "push") == 0)
        api_push(api, rest);
    else if (strcmp(command, "replay") == 0)
        return api_replay(api, rest);
    else if (strcmp(command, "padding") == 0)
        api_set_padding(api, (size_t)number_of(rest));
    else if (strcmp(command, "token") == 0)
        api_write_token(api, rest);
    else if (strcmp(command, "fault") == 0)
        return set_fault(api, &rest);
    else
        return run_choice(api, command, rest);
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs(usage, stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct api *api = api_start(argv[1], argv[2]);
    printf("ready %d\n", api_port(api));
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        puts(run(api, line) ? "ok" : "error");
    }
    free(line);
    api_stop(api);
    return 0;
}
