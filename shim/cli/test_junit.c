/* SPDX-License-Identifier: Apache-2.0 */
/* The results as JUnit XML, the form that CI systems read: a suite a file, a testcase a case. */
#include "base/utf8.h"
#include "cli/test_result.h"

/* Char of XML 1.0, section 2.2, without the control characters that it allows: those would have to
 * be written in two ways, and no text here needs them. */
static bool is_xml(uint32_t point)
{
    return (point >= 0x20 && point <= 0xd7ff) || (point >= 0xe000 && point <= 0xfffd) ||
           (point >= 0x10000 && point <= 0x10ffff);
}

/* One character, for an attribute or for text; what XML cannot carry comes out as \xNN. */
static size_t print_character(struct str s)
{
    uint32_t point = 0;
    size_t len = utf8_decode(s, &point);
    size_t taken = len ? len : 1;
    if (len == 0 || !is_xml(point)) {
        for (size_t i = 0; i < taken; i++)
            printf("\\x%02x", (unsigned char)s.data[i]);
        return taken;
    }
    switch (point) {
    case '<':
        fputs("&lt;", stdout);
        break;
    case '>':
        fputs("&gt;", stdout);
        break;
    case '&':
        fputs("&amp;", stdout);
        break;
    case '"':
        fputs("&quot;", stdout);
        break;
    default:
        fwrite(s.data, 1, taken, stdout);
    }
    return taken;
}

static void print_xml(struct str s)
{
    for (size_t at = 0; at < s.len;)
        at += print_character((struct str){.data = s.data + at, .len = s.len - at});
}

static void print_attribute(const char *name, struct str value)
{
    printf(" %s=\"", name);
    print_xml(value);
    putchar('"');
}

static void print_sentence(const char *head, const char *text)
{
    if (!text[0])
        return;
    printf("%-9s ", head);
    print_xml(str_of(text));
    putchar('\n');
}

static void print_failure(const struct file_result *file, const struct case_result *result)
{
    char expected[TEST_SENTENCE_SIZE], got[TEST_SENTENCE_SIZE], text[TEST_SENTENCE_SIZE];
    struct writer writer = writer_make(expected, sizeof(expected));
    test_write_expected(file, result, &writer);
    writer = writer_make(got, sizeof(got));
    test_write_got(file, result, &writer);
    printf("      <failure type=\"difference\" message=\"expected ");
    print_xml(str_of(expected));
    printf("; got ");
    print_xml(str_of(got));
    printf("\">");
    print_xml(str_of(file->file->path));
    printf(":%u\n", result->subject->at.line);
    print_sentence("expected", expected);
    print_sentence("got", got);
    writer = writer_make(text, sizeof(text));
    test_write_why(file, result, &writer);
    print_sentence("why", text);
    test_write_message(file->file->policy->policy, result, text);
    print_sentence("message", text);
    printf("</failure>\n");
}

static void print_case(const struct file_result *file, const struct case_result *result)
{
    struct str path = str_of(file->file->path);
    printf("    <testcase");
    print_attribute("classname", path);
    print_attribute("name", result->subject->name);
    print_attribute("file", path);
    printf(" line=\"%u\" time=\"%.6f\"", result->subject->at.line, result->seconds);
    if (result->holds) {
        printf("/>\n");
        return;
    }
    printf(">\n");
    print_failure(file, result);
    printf("    </testcase>\n");
}

static void print_suite(const struct file_result *file)
{
    printf("  <testsuite");
    print_attribute("name", str_of(file->file->path));
    printf(" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\" time=\"%.6f\">\n",
           file->file->count, file->failed, file->seconds);
    for (size_t i = 0; i < file->file->count; i++)
        print_case(file, &file->cases[i]);
    printf("  </testsuite>\n");
}

void test_print_junit(const struct test_results *results)
{
    double seconds = 0;
    for (size_t i = 0; i < results->file_count; i++)
        seconds += results->files[i].seconds;
    printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
           "<testsuites name=\"crigate\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" "
           "time=\"%.6f\">\n",
           results->passed + results->failed, results->failed, seconds);
    for (size_t i = 0; i < results->file_count; i++)
        print_suite(&results->files[i]);
    printf("</testsuites>\n");
}
