// Runs programs one after the other and says of each how many seconds it took and what the checksum
// of its work is:
//   bench: NAME SECONDS s CHECKSUM    or    bench: NAME failed: WHY
// The environment variable `bench` names the programs, separated by commas. It is the first process
// of a guest, and powers that off when done; elsewhere it just ends. With the argument "list" it
// names all programs.
#define _GNU_SOURCE
#include "program.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// A function of ours, or a command of Debian's, whose output is what the checksum is of.
static const struct Entry {
    const char* name;
    Program* function;
    const char* command[16];
} entries[] = {
    {"alu", .function = alu},
    {"atomics", .function = atomics},
    {"sha256", .function = sha256},
    {"crc32", .function = crc32},
    {"pointers", .function = pointers},
    {"rep-strings", .function = rep_strings},
    {"libc-strings", .function = libc_strings},
    {"sort", .function = sort},
    {"scalar-double", .function = scalar_double},
    {"packed-float", .function = packed_float},
    {"packed-double", .function = packed_double},
    {"packed-integer", .function = packed_integer},
    {"x87", .function = x87},
    {"matrix", .function = matrix},
    {"recursion", .function = recursion},
    {"indirect-calls", .function = indirect_calls},
    {"bytecode", .function = bytecode},
    {"state-machine", .function = state_machine},
    {"rewritten-code", .function = rewritten_code},
    {"protected-code", .function = protected_code},
    {"system-calls", .function = system_calls},
    {"page-faults", .function = page_faults},
    {"context-switches", .function = context_switches},
    {"forks", .function = forks},
    {"signals", .function = signals},
    {"openssl-sha256", .command = {"/usr/bin/openssl", "dgst", "-sha256", "/bench/noise",
                                   "/bench/noise", "/bench/noise", "/bench/noise"}},
    {"openssl-aes", .command = {"/usr/bin/openssl", "enc", "-aes-128-cbc", "-K",
                                "000102030405060708090a0b0c0d0e0f", "-iv",
                                "0f0e0d0c0b0a09080706050403020100", "-in", "/bench/noise"}},
    // Two to the power of 2203, less one, is a prime.
    {"openssl-prime", .command = {"/bin/busybox", "sh", "-c",
                                  "exec openssl prime -hex 7$(printf %0550d 0 | busybox tr 0 F)"}},
    {"lame", .command = {"/usr/bin/lame", "--quiet", "/bench/sound.wav", "-"}},
    {"jpeg", .command = {"/usr/bin/cjpeg", "-quality", "90", "-progressive", "/bench/picture.ppm"}},
    {"xz", .command = {"/usr/bin/xz", "-6", "-c", "/bench/text"}},
    {"gzip", .command = {"/bin/gzip", "-9", "-n", "-c", "/bench/text", "/bench/text", "/bench/text",
                         "/bench/text"}},
    {"python", .command = {"/usr/bin/python3", "/bench/work.py"}},
    {"perl", .command = {"/usr/bin/perl", "/bench/work.pl"}},
    {"sqlite", .command = {"/usr/bin/sqlite3", ":memory:", ".read /bench/work.sql"}},
    {"cc1",
     .command = {"/bin/busybox", "sh", "-c",
                 "for each in /bench/*.i; do"
                 " /usr/lib/gcc/x86_64-linux-gnu/12/cc1 -quiet -O2 -fpreprocessed $each -o -;"
                 " done"}},
    {"shell", .command = {"/bin/busybox", "sh", "/bench/work.sh"}},
};
enum { entry_count = sizeof entries / sizeof *entries };

// Shared by the processes.
static struct {
    double seconds;
    uint64_t checksum;
    char failure[100];
}* result;

uint64_t checksum(const void* data, size_t size) {
    const uint8_t* bytes = data;
    uint64_t sum = size, last = 0;
    for (; size >= 8; bytes += 8, size -= 8) {
        uint64_t value;
        memcpy(&value, bytes, 8);
        sum = combine(sum, value);
    }
    memcpy(&last, bytes, size);
    return combine(sum, last);
}

void require(int condition, const char* what) {
    if (condition) return;
    snprintf(result->failure, sizeof result->failure, "%s: %m", what);
    _exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void run_function(const struct Entry* entry) {
    const double start = now();
    result->checksum = entry->function();
    result->seconds = now() - start;
    _exit(0);
}

static void run_command(const struct Entry* entry, int output) {
    dup2(output, STDOUT_FILENO);
    execv(entry->command[0], (char**)entry->command);
    require(0, entry->command[0]);
}

static uint64_t checksum_of_file(int file) {
    const size_t size = (size_t)lseek(file, 0, SEEK_END);
    void* data = mmap(NULL, size, PROT_READ, MAP_SHARED, file, 0);
    if (data == MAP_FAILED) return 0;
    const uint64_t sum = checksum(data, size);
    munmap(data, size);
    return sum;
}

// In a process of its own, so that no program disturbs the next one. The time of a function is that
// of its call alone; that of a command includes the start of its process.
static void run(const struct Entry* entry) {
    memset(result, 0, sizeof *result);
    const int output = memfd_create("output", 0);
    const double start = now();
    const pid_t child = fork();
    if (child == 0) entry->function ? run_function(entry) : run_command(entry, output);
    int status = 0;
    waitpid(child, &status, 0);
    if (!entry->function) {
        result->seconds = now() - start;
        result->checksum = checksum_of_file(output);
    }
    close(output);

    printf("bench: %s ", entry->name);
    if (*result->failure)
        printf("failed: %s\n", result->failure);
    else if (WIFSIGNALED(status))
        printf("failed: signal %d\n", WTERMSIG(status));
    else if (status != 0)
        printf("failed: exit code %d\n", WEXITSTATUS(status));
    else
        printf("%.6f s %016lx\n", result->seconds, result->checksum);
}

static const struct Entry* entry_named(const char* name) {
    for (int i = 0; i < entry_count; ++i)
        if (strcmp(entries[i].name, name) == 0) return &entries[i];
    return NULL;
}

static void list(void) {
    for (int i = 0; i < entry_count; ++i)
        puts(entries[i].name);
}

int main(int argc, char** argv) {
    setlinebuf(stdout);
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        list();
        return 0;
    }
    result = mmap(NULL, sizeof *result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (result == MAP_FAILED) return 1;

    // On one processor, as guests have no more.
    cpu_set_t processor;
    CPU_ZERO(&processor);
    CPU_SET(sched_getcpu(), &processor);
    sched_setaffinity(0, sizeof processor, &processor);

    // A kernel without a source of random numbers collects some for the first who asks; not for a
    // program.
    uint64_t random;
    if (getrandom(&random, sizeof random, 0) < 0) return 1;

    puts("bench: ready");
    char* names = getenv("bench");
    for (char* name = names ? strtok(names, ",") : NULL; name; name = strtok(NULL, ",")) {
        const struct Entry* entry = entry_named(name);
        if (entry)
            run(entry);
        else
            printf("bench: %s failed: unknown\n", name);
    }
    if (getpid() == 1) reboot(RB_POWER_OFF);
    return 0;
}
