/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by libcrypto, written in hex. */
#include "base/sha256.h"

#include <openssl/evp.h>

int sha256_hex(struct str bytes, char hex[SHA256_HEX_SIZE], struct err *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (!EVP_Digest(bytes.data, bytes.len, digest, &len, EVP_sha256(), NULL) || len != 32)
        return err_set(err, "its SHA-256 cannot be computed");
    for (unsigned i = 0; i < len; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return 0;
}
