/* SPDX-License-Identifier: Apache-2.0 */
/* A stand-in for systemd-journald: `journal SOCKET` prints each datagram, which ends with a
 * newline, until it is ended by a signal. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static char text[1024 * 1024];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path)) {
        fprintf(stderr, "usage: journal SOCKET\n");
        return 2;
    }
    strcpy(address.sun_path, argv[1]);
    unlink(argv[1]);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        perror(argv[1]);
        return 1;
    }
    for (;;) {
        ssize_t len = recv(fd, text, sizeof(text), 0);
        if (len < 0 || fwrite(text, 1, (size_t)len, stdout) != (size_t)len || fflush(stdout) != 0) {
            perror("journal");
            return 1;
        }
    }
}
