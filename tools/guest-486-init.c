// The first process of the guest for a 486: it shows that processes, time and floating point work
// there, without a library, as those of today begin at a later processor.

enum {
    sys_exit = 1,
    sys_fork,
    sys_read,
    sys_write,
    sys_open,
    sys_waitpid = 7,
    sys_mount = 21,
    sys_reboot = 88
};
enum { sys_uname = 122, sys_nanosleep = 162, halt = (int)0xcdef0123 };

static long call4(long number, long a, long b, long c, long d) {
    long result;
    asm volatile("int $0x80"
                 : "=a"(result)
                 : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(0)
                 : "memory");
    return result;
}

static long call(long number, long a, long b, long c) { return call4(number, a, b, c, 0); }

static void say(const char* text) {
    long length = 0;
    while (text[length])
        ++length;
    call(sys_write, 1, (long)text, length);
}

static void say_number(unsigned long value) {
    char text[12];
    int at = sizeof text - 1;
    text[at] = 0;
    do
        text[--at] = (char)('0' + value % 10);
    while ((value /= 10));
    say(text + at);
}

static void say_file(const char* path) {
    char text[2048];
    const long file = call(sys_open, (long)path, 0, 0);
    const long length = call(sys_read, file, (long)text, sizeof text);
    if (length > 0) call(sys_write, 1, (long)text, length);
}

void _start(void) {
    struct {
        char system[65], node[65], release[65], version[65], machine[65], domain[65];
    } name;
    call(sys_uname, (long)&name, 0, 0);
    say("Backplane guest ready\n");
    say(name.system), say(" "), say(name.machine), say("\n");

    const long child = call(sys_fork, 0, 0, 0);
    if (child == 0) {
        const struct {
            long seconds, nanoseconds;
        } pause = {0, 50000000};
        call(sys_nanosleep, (long)&pause, 0, 0);
        call(sys_exit, 7, 0, 0);
    }
    int status = 0;
    call(sys_waitpid, child, (long)&status, 0);
    say("child exited with "), say_number((unsigned)status >> 8), say("\n");

    double sum = 0;
    for (int i = 1; i < 1000; ++i)
        sum += 1.0 / i;
    say("sum "), say_number((unsigned long)(sum * 1000000)), say("\n");

    call4(sys_mount, (long)"proc", (long)"/proc", (long)"proc", 0);
    say_file("/proc/cpuinfo");
    say("Backplane guest done\n");
    call(sys_reboot, (long)0xfee1dead, 672274793, halt);
    for (;;) {
    }
}
