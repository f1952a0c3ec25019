/* SPDX-License-Identifier: Apache-2.0 */
/* Calls systemctl. */
#include "setup/units.h"

#include "base/writer.h"
#include "setup/process.h"

#define ASK_MS 30000
#define DO_MS 120000 /* systemd's own limit for a start is 90 s */

const char *const gate_units[GATE_UNITS] = {"crigate.socket", "crigate.service"};

/* What sd_booted(3) looks at. */
bool units_available(void)
{
    return access("/run/systemd/system", F_OK) == 0;
}

bool unit_is(const char *verb, const char *unit)
{
    const char *argv[] = {"systemctl", verb, unit, NULL};
    OWNED_ARENA struct arena arena = {0};
    struct process_result result;
    return process_run(argv, ASK_MS, &arena, &result, NULL) == 0 && result.status == 0;
}

int unit_do(const char *verb, const char *unit, struct err *err)
{
    const char *argv[] = {"systemctl", verb, unit, NULL};
    OWNED_ARENA struct arena arena = {0};
    struct process_result result;
    if (process_run(argv, DO_MS, &arena, &result, err) < 0)
        return -1;
    if (result.status == 0)
        return 0;
    char words[512];
    struct writer writer = writer_make(words, sizeof(words));
    while (result.errors.len && result.errors.data[result.errors.len - 1] == '\n')
        result.errors.len--;
    writer_short(&writer, result.errors);
    return err_set(err, "systemctl %s %s fails with status %d: %s (look at `journalctl -u %s`)",
                   verb, unit, result.status, words, unit);
}
