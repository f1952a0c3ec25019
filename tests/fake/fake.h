/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake containerd's contract with the tests. `fake-containerd SOCKET` serves every method of
 * every service on one unix socket, prints the line "ready" once it listens, and ends on SIGTERM.
 * The metadata of a request steers what becomes of the call; without any, the reply is what
 * containerd could say. Keys may be combined:
 *
 *   fake-status: N              the status code
 *   fake-message: TEXT          the status message
 *   fake-message-size: N        ... or N bytes of fake_message()
 *   fake-details-bin: BYTES     sent back as grpc-status-details-bin
 *   fake-reply-size: N          one reply of N bytes of fake_pattern()
 *   fake-stream: COUNTxSIZE     COUNT replies of SIZE bytes; if SIZE >= 8, the first 8 bytes are
 *                               the reply's index, little-endian; the others are the pattern's
 *   fake-echo: 1                each message goes back as it came, full duplex; at half-close
 *                               what fake-stream says, then the status
 *   fake-collect: 1             reads until half-close before it answers
 *   fake-report: 1              collects, then replies with a report (below)
 *   fake-early: 1               the initial metadata at once, before anything is read
 *   fake-delay-ms: N            waits before it answers
 *   fake-hang: 1                sends no status; after the first message and what fake-stream
 *                               says, nothing is read and nothing is sent
 *   fake-abort: 1               cancels the call where it would send the status
 *   initial-*, trailing-*       sent back as initial or trailing metadata, under the same key
 *
 * A report is lines of text: `method PATH`, `authority HOST`, `deadline-ms N` (or `none`),
 * `messages N`, `bytes N`, `half-closed 1`, then `metadata KEY HEXVALUE` each.
 *
 * What it saw is asked of its own service; the request is a method's path:
 *   /fake.Fake/Saw      lines `calls N`, `requests N`, `ended N`, `cancelled N`, `cancelled-at-ns
 * N` (CLOCK_MONOTONIC, of the last one), `open N` (calls now running)
 *   /fake.Fake/Last     the bytes of the last request
 *   /fake.Fake/Keep     keeps every request of the method from now on
 *   /fake.Fake/Kept     those requests, each as a field 1
 *
 * A test cannot put metadata into the gate's own questions. It tells the fake beforehand:
 *   /fake.Fake/Steer      the request's first line is a method's path; the lines "key: value" after
 *                         it are taken for the metadata of every later call of that method
 *   /fake.Fake/Sandboxes  lines "ID HANDLER", or "ID HANDLER NAMESPACE NAME", whose name may have
 *                         spaces: all the sandboxes that ListPodSandbox and PodSandboxStatus tell
 * of from now on. Before that there are some to be listed, and none to be asked for
 */
#ifndef CRIGATE_TESTS_FAKE_H
#define CRIGATE_TESTS_FAKE_H

#include <stddef.h>
#include <stdint.h>

/* Replies repeat this block of bytes. Its length is prime, so that frames or buffers put in a wrong
 * order do not compare equal. */
#define FAKE_PATTERN_LEN ((size_t)65521)

static inline void fake_pattern(unsigned char block[FAKE_PATTERN_LEN])
{
    uint32_t state = 1;
    for (size_t i = 0; i < FAKE_PATTERN_LEN; i++) {
        state = state * 1664525u + 1013904223u;
        block[i] = (unsigned char)(state >> 24);
    }
}

/* A status message of `size` bytes: UTF-8 of two, three and four bytes, control characters and
 * what percent-encoding must escape. A last character that does not fit is filled up with '%'. */
static inline void fake_message(char *message, size_t size)
{
    static const char text[] = "50% of \"x\"%41 n\303\244h \342\202\254 \360\237\220\263\n\t\177;";
    const size_t len = sizeof(text) - 1;
    size_t whole = size - size % len;
    for (size_t i = 0; i < size; i++)
        message[i] = i < whole ? text[i % len] : '%';
}

#endif
