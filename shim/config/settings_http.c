/* SPDX-License-Identifier: Apache-2.0 */
/* `http`: where the daemon shows what it does; a loopback address and a port. */
#include <arpa/inet.h>

#include "config/quantity.h"
#include "config/settings_parse.h"

#define ADDRESS_MAX ((size_t)64)

static bool take_ipv4(const char *host, uint16_t port, struct settings_http *http)
{
    struct sockaddr_in *address = &http->ipv4;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    http->size = sizeof(*address);
    return inet_pton(AF_INET, host, &address->sin_addr) == 1 &&
           ntohl(address->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

static bool take_ipv6(const char *host, uint16_t port, struct settings_http *http)
{
    struct sockaddr_in6 *address = &http->ipv6;
    *address = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
    http->size = sizeof(*address);
    return inet_pton(AF_INET6, host, &address->sin6_addr) == 1 &&
           IN6_IS_ADDR_LOOPBACK(&address->sin6_addr);
}

/* HOST:PORT, an IPv6 address in brackets. */
static bool take_address(struct str text, struct settings_http *http)
{
    char host[ADDRESS_MAX + 1];
    const char *colon = memrchr(text.data, ':', text.len);
    if (!colon)
        return false;
    size_t host_size = (size_t)(colon - text.data);
    struct str digits = {colon + 1, text.len - host_size - 1};
    uint64_t port;
    if (!quantity_whole(digits, &port) || port == 0 || port > UINT16_MAX)
        return false;
    bool bracketed = host_size > 2 && text.data[0] == '[' && colon[-1] == ']';
    size_t from = bracketed ? 1 : 0;
    memcpy(host, text.data + from, host_size - 2 * from);
    host[host_size - 2 * from] = '\0';
    return bracketed ? take_ipv6(host, (uint16_t)port, http)
                     : take_ipv4(host, (uint16_t)port, http);
}

void settings_read_http(struct reader *reader, const struct yaml_node *node,
                        struct settings_http *http)
{
    struct str text;
    if (!reader_string(reader, node, "http", &text) || text.len == 0 ||
        !reader_text(reader, node, "http", ADDRESS_MAX, &text))
        return;
    http->name = text.data;
    if (!take_address(text, http))
        reader_error(reader, node, "such as 127.0.0.1:9776 or [::1]:9776; leave it empty for none",
                     "http must be a loopback address and a port: who can read it learns which "
                     "pods run here");
}
