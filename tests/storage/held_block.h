// A block backend that finishes requests in whatever order a test likes.
#pragma once

#include <backplane/testing/fake_block.h>

#include <cstdint>
#include <vector>

namespace backplane::storage {

class HeldBlock {
public:
    explicit HeldBlock(testing::FakeBlock& block) : block_{block.link()} {}

    backplane_link link() {
        static constexpr backplane_block functions{
            sizeof(backplane_block),
            0,
            [](void* object, backplane_block_info* info) {
                self(object).behind().describe(self(object).block_.object, info);
            },
            [](void* object, const backplane_block_listener* listener) {
                self(object).behind().listen(self(object).block_.object, listener);
            },
            [](void* object, const backplane_block_request* request) -> std::int32_t {
                self(object).requests.push_back(*request);
                return BACKPLANE_BLOCK_PENDING;
            },
            [](void* object) {
                while (!self(object).requests.empty())
                    self(object).finish(0);
            },
            nullptr,
            nullptr,
            nullptr};
        return {&functions, this};
    }

    void finish(std::size_t index) {
        const backplane_block_request request = requests.at(index);
        requests.erase(requests.begin() + static_cast<std::ptrdiff_t>(index));
        request.complete(request.user, behind().submit(block_.object, &request));
    }

    std::vector<backplane_block_request> requests;

private:
    static HeldBlock& self(void* object) { return *static_cast<HeldBlock*>(object); }
    const backplane_block& behind() const {
        return *static_cast<const backplane_block*>(block_.functions);
    }

    backplane_link block_;
};

}  // namespace backplane::storage
