#include "trace_json.h"

#include "event_texts.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iterator>

namespace backplane::profiler {
namespace {

// Each lane is a process in the trace, in this order.
constexpr unsigned vcpu = 1, device = 2, io = 3, jit = 4;
constexpr unsigned accesses_thread = 1, causes_thread = 2;

std::string quoted(std::string_view text) {
    return nlohmann::json(std::string{text})
        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void name_thread(std::string& text, unsigned process, unsigned thread, std::string_view name) {
    fmt::format_to(std::back_inserter(text),
                   R"({{"ph":"M","pid":{},"tid":{},"name":"thread_name","args":{{"name":{}}}}},)"
                   "\n",
                   process, thread, quoted(name));
}

std::string counts(const TraceCounts& values) {
    std::string text;
    for (std::size_t lane = 0; lane < trace_lane_count; ++lane)
        text += fmt::format("{}\"{}\":{}", lane == 0 ? "" : ",", trace_lane_names[lane],
                            values[lane]);
    return text;
}

}  // namespace

// Writes the elements of one event.
struct TraceJson::Formatter {
    TraceJson& json;
    const TraceEvent& event;
    std::string& text;

    template <class... Arguments>
    void put(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
        fmt::format_to(std::back_inserter(text), format, std::forward<Arguments>(arguments)...);
    }
    double start() const { return json.microseconds(event.start); }
    double duration() const { return static_cast<double>(event.duration) / 1e3; }

    void slice(unsigned process, unsigned thread, std::string_view name,
               const std::string& arguments) {
        put(R"({{"ph":"X","pid":{},"tid":{},"ts":{:.3f},"dur":{:.3f},"name":{},"args":{{{}}}}},)"
            "\n",
            process, thread, start(), duration(), quoted(name), arguments);
    }
    void flow(char phase, unsigned process, unsigned thread, std::uint64_t id) {
        if (id == 0) return;
        put(R"({{"ph":"{}","pid":{},"tid":{},"ts":{:.3f},"id":{},"cat":"interrupt",)"
            R"("name":"interrupt"{}}},)"
            "\n",
            phase, process, thread, start(), id, phase == 'f' ? R"(,"bp":"e")" : "");
    }
    // Requests overlap, so they are no slices of a thread.
    void async(char phase, unsigned process, std::string_view category, std::uint64_t id,
               double time, std::string_view name, const std::string& arguments) {
        put(R"({{"ph":"{}","pid":{},"tid":1,"ts":{:.3f},"id":{},"cat":{},"name":{},)"
            R"("args":{{{}}}}},)"
            "\n",
            phase, process, time, id, quoted(category), quoted(name), arguments);
    }

    void operator()(const CpuExecution& execution) {
        const std::uint32_t thread = json.thread_of(event_name(execution.source), text);
        slice(vcpu, thread, execution.is_halted ? "halted" : "running", "");
    }

    void operator()(const InterruptHandler& handler) {
        const CpuInterrupt& interrupt = handler.interrupt;
        const std::uint32_t thread = json.thread_of(event_name(interrupt.origin.source), text);
        slice(vcpu, thread,
              interrupt.is_nmi != 0 ? "NMI" : fmt::format("interrupt {:#x}", interrupt.vector),
              fmt::format(R"("vector":{},"pc":"{:#x}","privilege":{},"guest_us":{:.3f})",
                          interrupt.vector, interrupt.pc, interrupt.privilege,
                          static_cast<double>(interrupt.origin.guest_time) / 1e3));
        flow('f', vcpu, thread, handler.flow);
    }

    void operator()(const CpuException& exception) {
        constexpr unsigned page_fault = 14;
        const std::uint32_t thread = json.thread_of(event_name(exception.origin.source), text);
        std::string arguments = fmt::format(
            R"("vector":{},"pc":"{:#x}","error_code":{},"privilege":{},"guest_us":{:.3f})",
            exception.vector, exception.pc, exception.error_code, exception.privilege,
            static_cast<double>(exception.origin.guest_time) / 1e3);
        if (exception.vector == page_fault)
            arguments += fmt::format(R"(,"address":"{:#x}","why":"{}")", exception.address,
                                     page_fault_text(exception.error_code));
        put(R"({{"ph":"i","s":"t","pid":{},"tid":{},"ts":{:.3f},"name":"{}","args":{{{}}}}},)"
            "\n",
            vcpu, thread, start(), exception_text(exception.vector), arguments);
    }

    void operator()(const DeviceAccess& access) {
        const bool is_port = (access.kind & BACKPLANE_ACCESS_PORT) != 0;
        std::string arguments = fmt::format(R"("{}":"{:#x}","bytes":{})",
                                            is_port ? "port" : "address", access.address,
                                            access.size);
        arguments += access.count == 1 ? fmt::format(R"(,"value":"{:#x}")", access.value)
                                       : fmt::format(R"(,"count":{})", access.count);
        slice(device, accesses_thread,
              fmt::format("{} {}", event_name(access.origin.source),
                          (access.kind & BACKPLANE_ACCESS_WRITE) != 0 ? "write" : "read"),
              arguments);
    }

    void operator()(const LineRaised& raised) {
        slice(device, causes_thread, event_name(raised.line.origin.source),
              fmt::format(R"("to":{})", quoted(event_name(raised.line.target))));
        flow('s', device, causes_thread, raised.flow);
    }

    void operator()(const MessageSent& sent) {
        slice(device, causes_thread,
              fmt::format("{} message", event_name(sent.message.origin.source)),
              fmt::format(R"("to":{},"address":"{:#x}","data":"{:#x}")",
                          quoted(event_name(sent.message.target)), sent.message.address,
                          sent.message.data));
        flow(sent.is_first ? 's' : 't', device, causes_thread, sent.flow);
    }

    template <class Request>
    static std::string of_request(const Request& request) {
        return fmt::format(R"("operation":"{}","offset":{},"bytes":{},"from":{})",
                           block_operation_text(request.operation), request.offset, request.length,
                           quoted(event_name(request.origin.source)));
    }

    // One that has not completed has no end.
    void operator()(const BlockStarted& request) {
        async('b', io, event_name(request.backend), request.id, start(),
              block_operation_text(request.operation), of_request(request));
    }

    void operator()(const BlockCompleted& request) {
        const std::string_view name = block_operation_text(request.operation);
        async('b', io, event_name(request.backend), request.id, start(), name, of_request(request));
        async('e', io, event_name(request.backend), request.id, start() + duration(), name,
              fmt::format(R"("result":"{}")", block_result_text(request.result)));
    }

    // Several processors may compile at once.
    void operator()(const BlockCompiled& block) {
        const std::uint64_t id = ++json.last_compile_;
        const std::string name = fmt::format("tier {}", block.tier);
        async('b', jit, "compile", id, start(), name,
              fmt::format(R"("linear":"{:#x}","instructions":{},"code_bytes":{})", block.linear,
                          block.instructions, block.code_bytes + block.cold_code_bytes));
        async('e', jit, "compile", id, start() + duration(), name, "");
    }
};

std::string TraceJson::head() {
    std::string text = "[\n";
    constexpr unsigned processes[trace_lane_count]{vcpu, device, io, jit};
    for (std::size_t lane = 0; lane < trace_lane_count; ++lane) {
        fmt::format_to(
            std::back_inserter(text),
            R"({{"ph":"M","pid":{0},"tid":0,"name":"process_name","args":{{"name":"{1}"}}}},)"
            "\n"
            R"({{"ph":"M","pid":{0},"tid":0,"name":"process_sort_index","args":{{"sort_index":{0}}}}},)"
            "\n",
            processes[lane], trace_lane_names[lane]);
    }
    name_thread(text, device, accesses_thread, "accesses");
    name_thread(text, device, causes_thread, "lines and messages");
    return text;
}

void TraceJson::add(const TraceEvent& event, std::string& text) {
    std::visit(Formatter{*this, event, text}, event.subject);
}

void TraceJson::add_dropped(std::uint64_t host_time, const TraceCounts& dropped,
                            std::string& text) const {
    fmt::format_to(std::back_inserter(text),
                   R"({{"ph":"C","pid":{},"tid":0,"ts":{:.3f},"name":"dropped events",)"
                   R"("args":{{{}}}}},)"
                   "\n",
                   vcpu, microseconds(host_time), counts(dropped));
}

std::string TraceJson::tail(const TraceCounts& recorded, const TraceCounts& dropped) {
    return fmt::format(
        R"({{"ph":"M","pid":1,"tid":0,"name":"backplane_trace","args":{{"recorded":{{{}}},)"
        R"("dropped":{{{}}}}}}})"
        "\n]\n",
        counts(recorded), counts(dropped));
}

std::uint32_t TraceJson::thread_of(std::string_view cpu, std::string& text) {
    const auto found = threads_.find(cpu);
    if (found != threads_.end()) return found->second;
    const auto thread = static_cast<std::uint32_t>(threads_.size() + 1);
    threads_.emplace(cpu, thread);
    name_thread(text, vcpu, thread, cpu);
    return thread;
}

// What began before the trace did is at a negative time.
double TraceJson::microseconds(std::uint64_t host_time) const {
    return static_cast<double>(static_cast<std::int64_t>(host_time - start_)) / 1e3;
}

}  // namespace backplane::profiler
