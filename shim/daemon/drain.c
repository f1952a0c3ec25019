/* SPDX-License-Identifier: Apache-2.0 */
/* The drain's two phases, told forward by a timer. */
#include "daemon/drain.h"

#include "base/deadline.h"

/* A call older than a tick of the first phase is a long one. */
#define WAITING_TICK_MS 20
#define LEAVING_TICK_MS 2

/* A peer that has no call under way and does not hang up is not waited for longer than that. */
#define PATIENCE_S 1

static bool is_left(struct drain *drain)
{
    if (call_count(drain->gate) > 0)
        return false;
    return listener_is_left(drain->listener) || deadline_is_past(&drain->patience);
}

static void leave(struct drain *drain)
{
    if (drain->gate->answering == 0)
        listener_say_goodbye(drain->listener);
    if (is_left(drain) || deadline_is_past(&drain->end))
        drain->over(drain);
    else
        loop_after(drain->gate->loop, &drain->tick, LEAVING_TICK_MS);
}

static void begin_to_leave(struct drain *drain)
{
    listener_stop(drain->listener);
    drain->leaving = true;
    drain->patience = deadline_in(PATIENCE_S);
    leave(drain);
}

static void wait_for_calls(struct drain *drain)
{
    bool only_young = call_count_older(drain->gate) == 0;
    if ((only_young && drain->fresh) || call_count(drain->gate) == 0 ||
        deadline_is_past(&drain->end)) {
        begin_to_leave(drain);
        return;
    }
    drain->fresh = only_young;
    if (only_young) /* what has come while others were waited for may be long as well */
        call_begin_era(drain->gate);
    loop_after(drain->gate->loop, &drain->tick, WAITING_TICK_MS);
}

static void on_tick(struct loop_op *op, bool ok)
{
    struct drain *drain = container_of(op, struct drain, tick);
    (void)ok;
    if (drain->leaving)
        leave(drain);
    else
        wait_for_calls(drain);
}

void drain_start(struct drain *drain, uint32_t seconds)
{
    drain->tick.done = on_tick;
    drain->end = deadline_in(seconds);
    wait_for_calls(drain);
}
