/* SPDX-License-Identifier: Apache-2.0 */
/* Seals lines: number and link in front of a body, then the hash of it all for the next one. */
#include "audit/chain.h"

#include "base/sha256.h"

_Static_assert(RECORD_HASH_SIZE == SHA256_HEX_SIZE, "a link is a SHA-256");

int chain_begin(struct chain *chain, struct str line, struct err *err)
{
    if (line.data)
        return sha256_hex(line, chain->head, err);
    memcpy(chain->head, RECORD_NO_HASH, sizeof(chain->head));
    return 0;
}

int chain_seal(struct chain *chain, struct audit_line *line, struct err *err)
{
    char head[RECORD_HEAD_MAX], hash[SHA256_HEX_SIZE];
    if (line->start) { /* sealed before, for a sink that did not take it */
        line->length -= RECORD_HEAD_MAX - line->start;
        line->start = 0;
    }
    size_t length = record_head(line->seq, chain->head, head);
    size_t start = RECORD_HEAD_MAX - length;
    memcpy(line->text + start, head, length);
    struct str sealed = {.data = line->text + start, .len = length + line->length};
    if (sha256_hex(sealed, hash, err) < 0)
        return -1;
    line->start = start;
    line->length = sealed.len;
    memcpy(chain->head, hash, sizeof(hash));
    return 0;
}
