// What the streams behind a listening socket have in common: one client at a time, and the next one
// after it.
#pragma once

#include "stream.h"

#include <string>

namespace backplane::character {

class SocketStream : public Stream {
public:
    void stop();

protected:
    SocketStream() : Stream{WhenFull::DropOldest} {}
    ~SocketStream() = default;

    // `listener` is bound and not listening yet; `where` is for messages. `wait`: returns only when
    // there is a client.
    Outcome serve(Descriptor listener, std::string where, bool wait);

private:
    void accept_client();
    void lose_client(int error);
    void input_ended(int error) override { lose_client(error); }
    void output_failed(int error) override { lose_client(error); }

    Descriptor listener_;
    std::string where_;
};

}  // namespace backplane::character
