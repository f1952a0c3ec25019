/* SPDX-License-Identifier: Apache-2.0 */
/* Loads libcurl and finds the functions that the client of the API server calls. */
#include "kubernetes/api_client_curl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

/* The OpenSSL variant of libcurl 7 and 8; it takes certificates from memory. */
#define LIBRARY "libcurl.so.4"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct api_client_curl functions;
static struct err failure; /* why there are none; empty: there are */

static int find(void *library, const char *name, void *function)
{
    void *found = dlsym(library, name);
    if (!found)
        return err_set(&failure, "%s has no %s; install libcurl4", LIBRARY, name);
    memcpy(function, &found, sizeof(found));
    return 0;
}

/* Never unloaded: a resolver's thread may still run in it when its transfer was given up. */
static void load(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library) {
        const char *reason = dlerror();
        err_set(&failure, "libcurl cannot be loaded; install libcurl4: %s", reason ? reason : "");
        return;
    }
#define FIND(name)                                     \
    if (find(library, "curl_" #name, &functions.name)) \
        return;
    API_CLIENT_CURL_FUNCTIONS(FIND)
#undef FIND
    if (functions.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        err_set(&failure, "libcurl cannot be initialised");
}

const struct api_client_curl *api_client_curl_load(struct err *err)
{
    pthread_once(&once, load);
    if (failure.text[0]) {
        err_set(err, "%s", failure.text);
        return NULL;
    }
    return &functions;
}
