#include "native_process.h"

#include "native_child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace backplane::oracle {

struct NativeProcess::Shared : ChildShared {};

namespace {

// A batch takes milliseconds, but a busy host may do other things first.
constexpr int patience_milliseconds = 120'000;

}  // namespace

NativeProcess::NativeProcess() {
    void* place = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                       -1, 0);
    if (place == MAP_FAILED) {
        problem_ = std::string{"no shared memory: "} + std::strerror(errno);
        return;
    }
    shared_ = new (place) Shared{};
    code_file_ = memfd_create("cases", MFD_CLOEXEC);
    if (code_file_ < 0 || ftruncate(code_file_, code_bytes) != 0) {
        problem_ = std::string{"no memory file: "} + std::strerror(errno);
        return;
    }
    fork_child();
    count_ = 0;
    run_from(0);
    if (!shared_->ready) problem_ = "the child process cannot prepare itself";
}

NativeProcess::~NativeProcess() {
    reap();
    if (code_file_ >= 0) close(code_file_);
    if (shared_) munmap(shared_, sizeof(Shared));
}

bool NativeProcess::has_local_table() const { return shared_->has_local_table; }

std::span<Case, NativeProcess::batch_size> NativeProcess::cases() { return shared_->cases; }

std::span<Result, NativeProcess::batch_size> NativeProcess::results() { return shared_->results; }

void NativeProcess::fork_child() {
    int down[2], up[2];
    if (pipe2(down, O_CLOEXEC) != 0 || pipe2(up, O_CLOEXEC) != 0) std::abort();
    child_ = fork();
    if (child_ < 0) std::abort();
    if (child_ == 0) {
        close(down[1]);
        close(up[0]);
        run_child(*shared_, code_file_, down[0], up[1]);
    }
    close(down[0]);
    close(up[1]);
    to_child_ = down[1];
    from_child_ = up[0];
}

void NativeProcess::reap() {
    if (child_ < 0) return;
    close(to_child_);
    close(from_child_);
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    child_ = -1;
}

void NativeProcess::send(std::size_t first) {
    shared_->next = first;
    shared_->count = count_;
    const char go = 1;
    // A child that is gone is noticed by run_from.
    void (*const before)(int) = std::signal(SIGPIPE, SIG_IGN);
    (void)!write(to_child_, &go, 1);
    std::signal(SIGPIPE, before);
}

void NativeProcess::start(std::size_t count) {
    count_ = count;
    send(0);
}

void NativeProcess::finish() { run_from(0); }

// Waits for the child; a case that ends it is marked, and another child goes on behind it.
void NativeProcess::run_from(std::size_t first) {
    if (first == 0 && count_ == 0) send(0);
    for (;;) {
        pollfd waiting{.fd = from_child_, .events = POLLIN, .revents = 0};
        char done;
        const bool answered = poll(&waiting, 1, patience_milliseconds) == 1 &&
                              read(from_child_, &done, 1) == 1;
        if (answered) return;
        reap();
        ++restarts_;
        const std::size_t next = shared_->next;
        const std::size_t stuck = std::min(next, batch_size - 1);
        fork_child();
        if (count_ == 0) return;
        shared_->results[stuck].vector = killed;
        if (stuck + 1 >= count_) return;
        send(stuck + 1);
    }
}

}  // namespace backplane::oracle
