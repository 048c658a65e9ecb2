#include "reports/core_part.h"

#include "tier1/core_offsets.h"
#include "x86/cpu_state.h"

#include <iterator>

namespace backplane::jit {

std::string core_part(std::size_t offset) {
    struct Part {
        std::size_t start, element, count;
        const char* const* names;
    };
    static constexpr const char* registers[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp",
                                                "rsi", "rdi", "r8",  "r9",  "r10", "r11",
                                                "r12", "r13", "r14", "r15"};
    static constexpr const char* segments[] = {"ES", "CS", "SS", "DS", "FS", "GS"};
    static constexpr const char* views[] = {"TLB", "TLB, user", "TLB, user data",
                                            "TLB, aligned user"};
    static constexpr const char* recent[] = {"recent page", "recent page, user",
                                             "recent page, user data"};
    static constexpr const char *budget[] = {"budget"}, *jump_key[] = {"jump key"},
                                *page_ip[] = {"page ip"}, *target_ip[] = {"target ip"},
                                *kept[] = {"kept"}, *vectors[] = {"vectors"},
                                *jump_cache[] = {"jump cache"};
    static constexpr Part parts[] = {
        {offsetof(x86::CpuState, gpr), 8, 16, registers},
        {offset_of::budget, 8, 1, budget},
        {offset_of::jump_key, 8, 1, jump_key},
        {offset_of::page_ip, 8, 1, page_ip},
        {offset_of::target_ip, 8, 1, target_ip},
        {offset_of::kept, 8, 1, kept},
        {offset_of::vectors, 1, 1, vectors},
        {offset_of::tlb_of(interp::View::Supervisor), sizeof(x86::FastTlb), interp::view_count,
         views},
        {offset_of::recent_of(interp::View::Supervisor), sizeof(x86::RecentPages),
         std::size(recent), recent},
        {offset_of::jump_cache, sizeof(interp::Core::jump_cache), 1, jump_cache},
        {offset_of::segment_base(0), sizeof(x86::SegmentRegister), 6, segments}};
    for (const Part& part : parts)
        if (offset >= part.start && offset < part.start + part.element * part.count)
            return part.names[(offset - part.start) / part.element];
    return "state";
}

}  // namespace backplane::jit
