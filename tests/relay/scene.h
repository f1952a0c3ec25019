/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a relay test plays in: a temporary directory, a fake containerd and, unless the client talks
 * to the fake directly, a gate between them. BOTH(name) makes two tests of one body: that of suite
 * `direct` shows that the body is right, that of suite `gate` that the gate cannot be told from
 * containerd. The programs' paths are in the environment: CRIGATE, FAKE_CONTAINERD.
 */
#ifndef CRIGATE_TESTS_RELAY_SCENE_H
#define CRIGATE_TESTS_RELAY_SCENE_H

#include <criterion/criterion.h>
#include <sys/types.h>

#include "client.h"

#define SERVICE "/runtime.v1.RuntimeService/"
#define IMAGES "/runtime.v1.ImageService/"

struct scene {
    bool gate;     /* the client's calls go through it */
    bool no_audit; /* the audit file's directory does not exist yet */
    bool observe;  /* the policy's mode */
    bool held;     /* the gate gets its socket from us, which stays open when it ends */
    int socket;    /* that socket */
    char dir[64];
    char fake_socket[96], gate_socket[96], audit[96];
    pid_t fake_pid, gate_pid; /* 0: not running */
    struct client client;     /* of the gate, or of the fake */
    struct client witness;    /* always of the fake, to ask what it saw */
};

typedef void scene_fn(struct scene *scene);

/* Starts all, plays, ends all; the gate must end with 0 on SIGTERM. */
void scene_play(scene_fn *play, bool gate);
void scene_play_without_audit(scene_fn *play);
void scene_play_observing(scene_fn *play);
void scene_play_held(scene_fn *play);

/* Makes the directory of the audit file. */
void scene_allow_audit(const struct scene *scene);

/* Starts and ends the fake. It can be started again under the same socket. */
void scene_start_fake(struct scene *scene);
void scene_kill_fake(struct scene *scene);

/* Tells the fake, as fake.h says: which sandboxes there are ("ID HANDLER" lines), and how calls of
 * a method shall go from now on ("key: value" lines, in place of their own metadata). */
void scene_set_sandboxes(struct scene *scene, const char *lines);
void scene_steer(struct scene *scene, const char *method, const char *headers);

/* Starts the gate again; sends SIGTERM to it; waits for its end and returns the wait status. */
void scene_start_gate(struct scene *scene);
void scene_term_gate(struct scene *scene);
int scene_wait_gate(struct scene *scene);

/* The process that the client talks to. */
pid_t scene_peer(const struct scene *scene);

/* The socket that the client talks to. */
const char *scene_socket(const struct scene *scene);

/* A number that /fake.Fake/Saw tells of a method: "calls", "requests", "cancelled", ... */
uint64_t scene_saw(struct scene *scene, const char *method, const char *word);

/* Waits until that number has reached `least`. */
void scene_wait_saw(struct scene *scene, const char *method, const char *word, uint64_t least);

/* The last request of a method as the fake got it; the caller owns the slice. */
grpc_slice scene_last(struct scene *scene, const char *method);

/* Waits until a line of the audit file holds both words. */
void scene_wait_audit(const struct scene *scene, const char *word, const char *other);

/* A number of /proc/PID/status, such as "VmRSS" (KiB). */
uint64_t scene_proc(pid_t pid, const char *word);

#define SCENE_TEST(suite, name, played) \
    Test(suite, name, .timeout = 120)   \
    {                                   \
        played;                         \
    }

#define BOTH(name)                                    \
    static void name(struct scene *scene);            \
    SCENE_TEST(direct, name, scene_play(name, false)) \
    SCENE_TEST(gate, name, scene_play(name, true))    \
    static void name(struct scene *scene)

/* A test that has no sense without the gate. */
#define GATE(name)                                 \
    static void name(struct scene *scene);         \
    SCENE_TEST(gate, name, scene_play(name, true)) \
    static void name(struct scene *scene)

#define GATE_HELD(name)                           \
    static void name(struct scene *scene);        \
    SCENE_TEST(gate, name, scene_play_held(name)) \
    static void name(struct scene *scene)

#define GATE_OBSERVING(name)                           \
    static void name(struct scene *scene);             \
    SCENE_TEST(gate, name, scene_play_observing(name)) \
    static void name(struct scene *scene)

#define GATE_WITHOUT_AUDIT(name)                           \
    static void name(struct scene *scene);                 \
    SCENE_TEST(gate, name, scene_play_without_audit(name)) \
    static void name(struct scene *scene)

#endif
