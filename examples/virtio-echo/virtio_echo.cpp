// Gives back what it is given: a virtio device with one queue.
#include <backplane/sdk.h>
#include <backplane/virtio/virtio_pci.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace {

class VirtioEcho final : public backplane::virtio::VirtioPci {
public:
    static void declare(backplane::Declaration<VirtioEcho>& d) {
        d.type("example.virtio-echo", "Gives back what it is given");
        declare_virtio(d, {.type = 42, .class_code = 0x00ff00, .queues = 1});
    }

private:
    unsigned queue_count() const override { return 1; }

    void queue_notified(unsigned queue) override {
        while (take(queue, chain_)) {
            std::array<std::byte, 512> bytes;
            const std::size_t length = chain_.read(memory(), 0, bytes);
            const std::size_t written = chain_.write(memory(), 0, std::span{bytes}.first(length));
            give_back(queue, chain_, static_cast<std::uint32_t>(written));
        }
    }

    backplane::virtio::Chain chain_;
};

}  // namespace

BACKPLANE_PLUGIN(.id = "com.example.virtio-echo", .version = "1.0.0",
                 .devices = backplane::device_types<VirtioEcho>);
