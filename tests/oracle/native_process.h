// Executes cases on the processor under the tests, in a child process that is started anew whenever
// a case ends it.
//
// The child lives in a signal handler: it puts a case's state into the signal frame and returns,
// the kernel loads all registers at once, the one instruction runs, and its fault or trap comes
// back as the next signal with everything the processor left.
#pragma once

#include "case.h"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace backplane::oracle {

class NativeProcess {
public:
    static constexpr std::size_t batch_size = 128;

    NativeProcess();
    ~NativeProcess();
    NativeProcess(const NativeProcess&) = delete;
    NativeProcess& operator=(const NativeProcess&) = delete;

    // Empty when this host can execute cases; why it cannot otherwise.
    const std::string& problem() const { return problem_; }
    // The kernel let us install a local descriptor table, without which there is no 16-bit code.
    bool has_local_table() const;

    // The places of the next batch.
    std::span<Case, batch_size> cases();
    std::span<Result, batch_size> results();

    // Executes the first `count` cases; between the two the caller may do its own work with them.
    void start(std::size_t count);
    void finish();

    // How often a case ended the child or hung it; its result says vector `killed`.
    static constexpr int killed = 256;
    unsigned restarts() const { return restarts_; }

private:
    struct Shared;

    void fork_child();
    void reap();
    void send(std::size_t first);
    void run_from(std::size_t first);

    Shared* shared_ = nullptr;
    int code_file_ = -1;
    int to_child_ = -1, from_child_ = -1;
    pid_t child_ = -1;
    std::size_t count_ = 0;
    unsigned restarts_ = 0;
    std::string problem_;
};

}  // namespace backplane::oracle
