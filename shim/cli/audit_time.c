/* SPDX-License-Identifier: Apache-2.0 */
/* Reads RFC 3339 times and spans before now; writes times for a person and for comparing. */
#include "cli/audit_time.h"

#include <stdio.h>
#include <stdlib.h>

#define NANOSECONDS 1000000000L

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* `count` digits in front of `*at`; -1: there are not so many. */
static int take_digits(const char **at, int count)
{
    int number = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (!is_digit(**at))
            return -1;
        number = 10 * number + (**at - '0');
    }
    return number;
}

static bool take_sign(const char **at, const char *signs)
{
    if (**at == '\0' || !strchr(signs, **at))
        return false;
    (*at)++;
    return true;
}

static bool is_in(int number, int least, int most)
{
    return number >= least && number <= most;
}

static bool take_date(const char **at, struct tm *tm)
{
    tm->tm_year = take_digits(at, 4) - 1900;
    bool dashed = take_sign(at, "-");
    tm->tm_mon = take_digits(at, 2) - 1;
    dashed = dashed && take_sign(at, "-");
    tm->tm_mday = take_digits(at, 2);
    return dashed && tm->tm_year >= -1900 && is_in(tm->tm_mon, 0, 11) && is_in(tm->tm_mday, 1, 31);
}

static bool take_clock(const char **at, struct tm *tm)
{
    tm->tm_hour = take_digits(at, 2);
    bool parted = take_sign(at, ":");
    tm->tm_min = take_digits(at, 2);
    parted = parted && take_sign(at, ":");
    tm->tm_sec = take_digits(at, 2);
    return parted && is_in(tm->tm_hour, 0, 23) && is_in(tm->tm_min, 0, 59) &&
           is_in(tm->tm_sec, 0, 60);
}

static bool take_fraction(const char **at, long *ns)
{
    long unit = NANOSECONDS / 10;
    if (!take_sign(at, "."))
        return true;
    if (!is_digit(**at))
        return false;
    for (; is_digit(**at); (*at)++, unit /= 10)
        *ns += unit * (**at - '0');
    return true;
}

/* Seconds east of Greenwich. */
static bool take_zone(const char **at, long *offset)
{
    if (take_sign(at, "Zz"))
        return true;
    bool west = **at == '-';
    if (!take_sign(at, "+-"))
        return false;
    int hours = take_digits(at, 2);
    bool parted = take_sign(at, ":");
    int minutes = take_digits(at, 2);
    *offset = (west ? -1 : 1) * (hours * 3600L + minutes * 60L);
    return parted && is_in(hours, 0, 23) && is_in(minutes, 0, 59);
}

static bool parse(const char *at, struct timespec *time)
{
    struct tm tm = {0};
    long ns = 0, offset = 0;
    if (!take_date(&at, &tm) || !take_sign(&at, "Tt ") || !take_clock(&at, &tm) ||
        !take_fraction(&at, &ns) || !take_zone(&at, &offset) || *at != '\0')
        return false;
    int day = tm.tm_mday, second = tm.tm_sec;
    time->tv_sec = timegm(&tm) - offset;
    time->tv_nsec = ns;
    return tm.tm_mday == day || second == 60; /* else there is no such day in that month */
}

bool audit_time_parse(struct str text, struct timespec *time)
{
    char copy[64];
    if (text.len >= sizeof(copy) || memchr(text.data, '\0', text.len))
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return parse(copy, time);
}

/* "10m" -> 600. */
static bool parse_span(const char *text, time_t *seconds)
{
    static const struct {
        char unit;
        long seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7L * 86400}};
    char *end;
    if (!is_digit(text[0]) || strlen(text) > 9) /* far from any overflow */
        return false;
    long number = strtol(text, &end, 10);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (end[0] == units[i].unit && end[1] == '\0') {
            *seconds = number * units[i].seconds;
            return true;
        }
    }
    return false;
}

bool audit_time_since(const char *text, const struct timespec *now, char since[AUDIT_TIME_SIZE])
{
    struct timespec time = *now;
    time_t seconds = 0;
    struct tm utc;
    if (parse_span(text, &seconds))
        time.tv_sec = seconds < now->tv_sec ? now->tv_sec - seconds : 0;
    else if (!audit_time_parse(str_of(text), &time))
        return false;
    if (!gmtime_r(&time.tv_sec, &utc) || !is_in(utc.tm_year, -1900, 9999 - 1900))
        return false;
    size_t len = strftime(since, AUDIT_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(since + len, AUDIT_TIME_SIZE - len, ".%06ldZ", time.tv_nsec / 1000);
    return true;
}

void audit_time_local(struct str text, char local[AUDIT_LOCAL_SIZE])
{
    struct timespec time;
    struct tm tm;
    size_t len = 0;
    if (audit_time_parse(text, &time) && localtime_r(&time.tv_sec, &tm))
        len = strftime(local, AUDIT_LOCAL_SIZE, "%Y-%m-%d %H:%M:%S", &tm);
    if (len)
        snprintf(local + len, AUDIT_LOCAL_SIZE - len, ".%03ld", time.tv_nsec / 1000000);
    else
        snprintf(local, AUDIT_LOCAL_SIZE, "?");
}
