/* SPDX-License-Identifier: Apache-2.0 */
/* Requests as a kubelet of tomorrow might send them. */
#include "messages.h"

#include "bytes.h"

grpc_slice message_pod(const char *name, const char *handler)
{
    struct bytes out = {0}, config = {0}, metadata = {0}, label = {0};
    bytes_text(&metadata, 1, name);
    bytes_text(&metadata, 2, "6f2c6f0e-7a3f-4f0e-9d7c-0c7d6a1f2b3c");
    bytes_text(&metadata, 3, "agents");
    bytes_nest(&config, 1, &metadata);
    bytes_text(&label, 1, "app");
    bytes_text(&label, 2, "builder");
    bytes_nest(&config, 6, &label);
    bytes_field(&config, 900, "later\0", 6);
    bytes_nest(&out, 1, &config);
    if (*handler)
        bytes_text(&out, 2, handler);
    bytes_number(&out, 901, 12345678901u);
    bytes_field(&out, 902, "\377\0x", 3);
    return bytes_slice(&out);
}

static void add_image(struct bytes *config, const char *handler)
{
    struct bytes image = {0};
    bytes_text(&image, 1, "registry.example/agents/builder:3");
    bytes_text(&image, 18, "builder:3");
    if (*handler)
        bytes_text(&image, 19, handler);
    bytes_text(&image, 905, "later");
    bytes_nest(config, 2, &image);
}

static void add_sandbox_config(struct bytes *out)
{
    struct bytes config = {0}, metadata = {0};
    bytes_text(&metadata, 1, "build-7");
    bytes_text(&metadata, 2, "6f2c6f0e-7a3f-4f0e-9d7c-0c7d6a1f2b3c");
    bytes_text(&metadata, 3, "agents");
    bytes_nest(&config, 1, &metadata);
    bytes_nest(out, 3, &config);
}

static void add_device(struct bytes *config, const char *path)
{
    struct bytes device = {0};
    bytes_text(&device, 1, path);
    bytes_text(&device, 2, path);
    bytes_text(&device, 3, "rw");
    bytes_nest(config, 8, &device);
}

static void add_config(struct bytes *out, const char *device, const char *image_handler)
{
    struct bytes config = {0}, metadata = {0};
    bytes_text(&metadata, 1, "main");
    bytes_number(&metadata, 2, 3);
    bytes_nest(&config, 1, &metadata);
    add_image(&config, image_handler);
    if (*device)
        add_device(&config, device);
    bytes_field(&config, 903, "later\0", 6);
    bytes_nest(out, 2, &config);
}

grpc_slice message_container(const char *sandbox, const char *device, const char *image_handler)
{
    struct bytes out = {0};
    bytes_text(&out, 1, sandbox);
    add_config(&out, device, image_handler);
    add_sandbox_config(&out);
    bytes_field(&out, 904, "\377\0x", 3);
    return bytes_slice(&out);
}

grpc_slice message_restore(const char *handler, const char *device)
{
    struct bytes out = {0}, config = {0}, metadata = {0};
    bytes_text(&out, 1, "/var/lib/checkpoints/build-7.tar");
    bytes_text(&metadata, 1, "build-7");
    bytes_text(&metadata, 3, "agents");
    bytes_nest(&config, 1, &metadata);
    bytes_nest(&out, 2, &config);
    bytes_text(&out, 3, handler);
    if (*device) {
        struct bytes container = {0}, container_name = {0};
        bytes_text(&container_name, 1, "sidecar");
        bytes_nest(&container, 1, &container_name);
        add_device(&container, device);
        bytes_nest(&out, 5, &container);
    }
    return bytes_slice(&out);
}

grpc_slice message_image(bool in_filter, const char *handler)
{
    struct bytes out = {0}, filter = {0}, image = {0};
    bytes_text(&image, 1, "registry.example/agents/builder:3");
    if (*handler)
        bytes_text(&image, 19, handler);
    bytes_text(&image, 905, "later");
    if (in_filter) {
        bytes_nest(&filter, 1, &image);
        bytes_number(&filter, 906, 7);
        bytes_nest(&out, 1, &filter);
    } else {
        bytes_nest(&out, 1, &image);
    }
    bytes_text(&out, 907, "behind");
    return bytes_slice(&out);
}

grpc_slice message_sandbox_id(const char *id)
{
    struct bytes out = {0};
    bytes_text(&out, 1, id);
    return bytes_slice(&out);
}
