// How completions become interrupts: by MSI-X, by MSI or by the pin, each when it occurs or a few
// together. (NVM Express 1.4, 7.5)
#pragma once

#include "nvme_features.h"
#include "nvme_queues.h"

#include <backplane/pci.h>
#include <backplane/timer.h>

#include <array>
#include <cstdint>

namespace backplane::storage::nvme {

class Interrupts {
public:
    // Once, before anything else.
    void connect(PciFunction& pci, const Queues& queues, const Features& features) {
        pci_ = &pci;
        queues_ = &queues;
        features_ = &features;
    }
    void reset();

    void posted(std::uint32_t completion_queue);
    // A queue's head moved, or went away, or the guest chose another kind of interrupts.
    void update_pin();

    // INTMS and INTMC.
    std::uint32_t mask() const { return mask_; }
    void set_mask(std::uint32_t vectors);
    void clear_mask(std::uint32_t vectors);

    void coalescing_ended();
    Timer& timer() { return timer_; }
    std::uint64_t sent() const { return sent_; }

    template <class T, class Accessor>
    static void declare_saved(Declaration<T>& d, Accessor interrupts);

private:
    bool is_masked(std::uint32_t vector) const { return vector < 32 && (mask_ >> vector & 1) != 0; }
    bool is_coalesced(std::uint32_t completion_queue) const;
    bool has_unread(std::uint32_t vector) const;
    void send(std::uint32_t vector);

    PciFunction* pci_ = nullptr;
    const Queues* queues_ = nullptr;
    const Features* features_ = nullptr;
    Timer timer_;
    std::uint32_t mask_ = 0;
    std::array<std::uint32_t, most_queues> held_back_{};  // completions, by vector
    std::uint64_t sent_ = 0;
};

template <class T, class Accessor>
void Interrupts::declare_saved(Declaration<T>& d, Accessor interrupts) {
    d.saved("INTMS", [interrupts](T& t) -> auto& { return interrupts(t).mask_; });
    d.saved("held-back", [interrupts](T& t) -> auto& { return interrupts(t).held_back_; });
}

}  // namespace backplane::storage::nvme
