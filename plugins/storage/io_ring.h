// Reads and writes of files that the kernel does by itself, without a thread that waits for each
// (io_uring).
#pragma once

#include "images/file_task.h"

#include <cstddef>
#include <functional>
#include <memory>

namespace backplane::storage {

class IoRing {
public:
    enum class Direction : bool { Read, Write };
    // What FileTask::finish makes of it; anything but 0: it has to be done in the ordinary way.
    using Done = std::function<void(int error)>;

    // `event`, an eventfd, counts what has finished. Null: this host, or this build, has no such
    // thing.
    static std::unique_ptr<IoRing> open(int event);

    virtual ~IoRing() = default;

    // False: not now; the task is not finished then.
    virtual bool start(Direction direction, images::FileTask& task, Done done) = 0;
    // Calls what is done.
    virtual void deliver() = 0;
    // The same, until nothing is left.
    virtual void finish_all() = 0;
};

}  // namespace backplane::storage
