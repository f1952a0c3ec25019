/* SPDX-License-Identifier: Apache-2.0 */
/* The one program of the image that `crigate verify` runs: `probe` keeps its container alive for a
 * while, `probe ask` prints what the kernel under it says of itself. */
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <unistd.h>

#define KEEP_S 600         /* longer than any verification; no longer, should nobody end it */
#define READ_ALL 3         /* SYSLOG_ACTION_READ_ALL */
#define LOG_SIZE (1 << 18) /* gVisor's log is short; of a longer one the end is read */

/* The first line of a file, or nothing. */
static void print_line(const char *title, const char *path)
{
    char line[4096] = "";
    FILE *file = fopen(path, "re");
    if (file) {
        if (!fgets(line, sizeof(line), file))
            line[0] = '\0';
        fclose(file);
    }
    line[strcspn(line, "\n")] = '\0';
    printf("%s: %s\n", title, line);
}

/* Where the kernel keeps its log from containers there is none. */
static void print_log(void)
{
    static char log[LOG_SIZE];
    int length = klogctl(READ_ALL, log, sizeof(log));
    puts("log:");
    if (length > 0)
        fwrite(log, 1, (size_t)length, stdout);
}

int main(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "ask") != 0) {
        sleep(KEEP_S);
        return 0;
    }
    print_line("boot-id", "/proc/sys/kernel/random/boot_id");
    print_line("version", "/proc/version");
    print_log();
    return fflush(stdout) == 0 ? 0 : 1;
}
