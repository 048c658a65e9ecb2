# What runs around a kernel: it gives each run the same registers and the same memory, calls the kernel behind it, and
# begins again. kernel.cpp says where everything is: bench_*.

.code64
harness64:
        mov rsp, bench_stack
        mov rdi, bench_scratch
        mov ecx, 4096 / 8
        xor eax, eax
        cld
        rep stosq
        mov rdi, bench_scratch
        mov rcx, [bench_iterations]
        xor ebx, ebx
        xor edx, edx
        xor esi, esi
        xor ebp, ebp
        xor r8d, r8d
        xor r9d, r9d
        xor r10d, r10d
        xor r11d, r11d
        xor r12d, r12d
        xor r13d, r13d
        xor r14d, r14d
        xor r15d, r15d
        call harness64 + bench_kernel_offset
harness64_return:
        jmp harness64
harness64_end:

.code32
harness32:
        mov esp, bench_stack
        mov edi, bench_scratch
        mov ecx, 4096 / 4
        xor eax, eax
        cld
        rep stosd
        mov edi, bench_scratch
        mov ecx, [bench_iterations]
        xor ebx, ebx
        xor edx, edx
        xor esi, esi
        xor ebp, ebp
        call harness32 + bench_kernel_offset
harness32_return:
        jmp harness32
harness32_end:
