/* SPDX-License-Identifier: Apache-2.0 */
/* Starts the gate and the proxies with settings of their own, and reads what they use. */
#include "peer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "process.h"

#define READY_TURNS 1000 /* of 10 ms */

static const char policy[] = "apiVersion: crigate/v1\n"
                             "kind: RuntimePolicy\n"
                             "metadata: {name: bench}\n"
                             "mode: enforce\n"
                             "runtimes:\n"
                             "- {handler: runc, isolation: hostKernel, default: true}\n"
                             "- {handler: runsc, aliases: [gvisor], isolation: sandbox}\n"
                             "rules:\n"
                             "- name: agents-in-gvisor\n"
                             "  match:\n"
                             "    node: {matchLabels: {agenttier.io/runtime: gvisor}}\n"
                             "    pod: {matchLabels: {agenttier.io/managed: \"true\"}}\n"
                             "  run: runsc\n"
                             "otherwise: {run: requested}\n";

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "we");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0) {
        fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
        exit(1);
    }
}

static pid_t start_crigate(const struct peer *peer, const struct bench_paths *paths, int cpu)
{
    char text[1024], name[64], settings[160];
    snprintf(text, sizeof(text),
             "listen: %s\nupstream: %s\npolicy: %s/policy.yaml\npeers: {uids: [%u]}\n"
             "node:\n  name: bench\n  labels: {file: %s/labels}\naudit: {file: %s/audit.jsonl}\n",
             peer->socket, paths->upstream, paths->dir, getuid(), paths->dir,
             peer->in_memory ? paths->memory : paths->dir);
    snprintf(name, sizeof(name), "%s.yaml", peer->name);
    write_file(paths->dir, name, text);
    write_file(paths->dir, "policy.yaml", policy);
    write_file(paths->dir, "labels", "agenttier.io/runtime=gvisor\n");
    snprintf(settings, sizeof(settings), "%s/%s", paths->dir, name);
    char *argv[] = {(char *)paths->crigate, (char *)"serve", (char *)"--config", settings, NULL};
    return process_start(argv, -1, cpu);
}

static pid_t start_haproxy(const struct peer *peer, const struct bench_paths *paths, int cpu)
{
    char text[1024], settings[160];
    snprintf(text, sizeof(text),
             "global\n  nbthread 1\n  maxconn 1000\n"
             "defaults\n  mode http\n  timeout connect 5s\n  timeout client 1h\n"
             "  timeout server 1h\n  http-reuse always\n"
             "frontend cri\n  bind unix@%s proto h2\n  default_backend containerd\n"
             "backend containerd\n  server containerd unix@%s proto h2\n",
             peer->socket, paths->upstream);
    write_file(paths->dir, "haproxy.cfg", text);
    snprintf(settings, sizeof(settings), "%s/haproxy.cfg", paths->dir);
    char *argv[] = {
        (char *)"/usr/sbin/haproxy", (char *)"-q", (char *)"-db", (char *)"-f", settings, NULL};
    return process_start(argv, -1, cpu);
}

static pid_t start_nginx(const struct peer *peer, const struct bench_paths *paths, int cpu)
{
    char text[2048], settings[160];
    snprintf(text, sizeof(text),
             "daemon off; master_process off; worker_processes 1; user root;\n"
             "pid nginx.pid; error_log nginx.log crit;\n"
             "events { worker_connections 1024; }\n"
             "http {\n  access_log off; client_max_body_size 0; keepalive_requests 1000000000;\n"
             "  client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3;\n"
             "  uwsgi_temp_path t4; scgi_temp_path t5;\n"
             "  upstream containerd { server unix:%s; keepalive 64;\n"
             "    keepalive_requests 1000000000; }\n"
             "  server { listen unix:%s http2; http2_max_concurrent_streams 1000;\n"
             "    location / { grpc_pass grpc://containerd; } }\n}\n",
             paths->upstream, peer->socket);
    write_file(paths->dir, "nginx.conf", text);
    snprintf(settings, sizeof(settings), "%s/nginx.conf", paths->dir);
    char *argv[] = {(char *)"/usr/sbin/nginx", (char *)"-p", (char *)paths->dir, (char *)"-e",
                    (char *)"nginx.log",       (char *)"-c", settings,           NULL};
    return process_start(argv, -1, cpu);
}

static bool wait_until_listening(const struct peer *peer)
{
    for (int i = 0; i < READY_TURNS && !process_listens(peer->socket); i++) {
        if (waitpid(peer->pid, NULL, WNOHANG) != 0)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
    }
    return process_listens(peer->socket);
}

bool peer_start(struct peer *peer, const char *name, const struct bench_paths *paths, int cpu)
{
    *peer = (struct peer){.name = name, .in_memory = strcmp(name, "crigate-tmpfs") == 0};
    snprintf(peer->socket, sizeof(peer->socket), "%s/%s.sock", paths->dir, name);
    if (strcmp(name, "direct") == 0)
        snprintf(peer->socket, sizeof(peer->socket), "%s", paths->upstream);
    else if (strcmp(name, "haproxy") == 0)
        peer->pid = start_haproxy(peer, paths, cpu);
    else if (strcmp(name, "nginx") == 0)
        peer->pid = start_nginx(peer, paths, cpu);
    else
        peer->pid = start_crigate(peer, paths, cpu);
    if (peer->pid != 0 && (peer->pid < 0 || !wait_until_listening(peer))) {
        fprintf(stderr, "bench: %s does not listen on %s\n", name, peer->socket);
        return false;
    }
    return true;
}

/* The first number in a file of /proc. */
static uint64_t first_number(const char *path)
{
    uint64_t value = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    if (fscanf(file, "%" SCNu64, &value) != 1)
        value = 0;
    fclose(file);
    return value;
}

uint64_t peer_cpu_ns(const struct peer *peer)
{
    char path[96];
    snprintf(path, sizeof(path), "/proc/%d/task", peer->pid);
    DIR *dir = peer->pid > 0 ? opendir(path) : NULL;
    if (!dir)
        return 0;
    uint64_t sum = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        snprintf(path, sizeof(path), "/proc/%d/task/%.16s/schedstat", peer->pid, entry->d_name);
        if (entry->d_name[0] != '.')
            sum += first_number(path);
    }
    closedir(dir);
    return sum;
}

uint64_t peer_rss_kib(const struct peer *peer)
{
    char path[64];
    uint64_t size = 0, resident = 0;
    snprintf(path, sizeof(path), "/proc/%d/statm", peer->pid);
    FILE *file = peer->pid > 0 ? fopen(path, "re") : NULL;
    if (!file)
        return 0;
    if (fscanf(file, "%" SCNu64 " %" SCNu64, &size, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
}
