// What the operating system does for programs.
#define _GNU_SOURCE
#include "program.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

uint64_t system_calls(void) {
    const pid_t parent = getppid();
    uint64_t same = 0;
    for (int i = 0; i < 2000000; ++i)
        same += getppid() == parent;
    return same;
}

// Each page is touched for the first time, on its own.
uint64_t page_faults(void) {
    enum { size = 8 << 20, page = 4096 };
    uint64_t sum = 0;
    for (int round = 0; round < 50; ++round) {
        uint8_t* area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                             0);
        require(area != MAP_FAILED, "mmap");
        madvise(area, size, MADV_NOHUGEPAGE);
        for (size_t at = 0; at < size; at += page) {
            sum += area[at + 8];  // zero
            area[at] = (uint8_t)(round + (int)(at / page));
        }
        for (size_t at = 0; at < size; at += page)
            sum += area[at];
        munmap(area, size);
    }
    return sum;
}

// Two processes that wait for each other.
uint64_t context_switches(void) {
    enum { rounds = 20000 };
    int there[2], back[2];
    require(pipe(there) == 0 && pipe(back) == 0, "pipe");
    const pid_t child = fork();
    require(child >= 0, "fork");
    uint8_t ball = 1;
    if (child == 0) {
        for (int i = 0; i < rounds; ++i) {
            if (read(there[0], &ball, 1) != 1) _exit(1);
            ball = (uint8_t)(ball * 5 + 1);
            if (write(back[1], &ball, 1) != 1) _exit(1);
        }
        _exit(0);
    }
    uint64_t sum = 0;
    for (int i = 0; i < rounds; ++i) {
        require(write(there[1], &ball, 1) == 1 && read(back[0], &ball, 1) == 1, "pipe");
        sum = combine(sum, ball++);
    }
    int status = 0;
    require(waitpid(child, &status, 0) == child && status == 0, "child");
    return sum;
}

uint64_t forks(void) {
    uint64_t sum = 0;
    for (int i = 0; i < 1000; ++i) {
        const pid_t child = fork();
        require(child >= 0, "fork");
        if (child == 0) _exit(i & 0x7f);
        int status = 0;
        require(waitpid(child, &status, 0) == child && WIFEXITED(status), "child");
        sum = combine(sum, (uint64_t)WEXITSTATUS(status));
    }
    return sum;
}

static volatile uint64_t signals_seen;

static void count_signal(int number) { signals_seen += (uint64_t)number; }

uint64_t signals(void) {
    const struct sigaction action = {.sa_handler = count_signal};
    require(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
    for (int i = 0; i < 120000; ++i)
        raise(SIGUSR1);
    return signals_seen;
}
