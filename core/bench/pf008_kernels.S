# The twelve PF-008 kernels: small loops of integer arithmetic, branches, memory accesses and calls, in 64- and 32-bit
# code. Position-independent; for the GNU assembler's Intel syntax.
# In: RCX (ECX) iterations, RDI (EDI) a buffer of 4096 zeroed bytes, a stack. Out: RAX (EAX) the checksum. Other
# registers are lost. Behind each kernel is a label NAME_end.

.code64
        .balign 64
alu64:
        movabs rax, 0x123456789ABCDEF0
        movabs r8, 0x9E3779B97F4A7C15
1:      add rax, r8
        mov rdx, rax
        shr rdx, 13
        xor rax, rdx
        shl rax, 1
        dec rcx
        jnz 1b
        ret
alu64_end:

        .balign 64
branch_pred64:
        movabs rax, 0x123456789ABCDEF0
        movabs r8, 0x9E3779B97F4A7C15
1:      xor rdx, rdx
        jnz 2f
        add rax, r8
2:      xor rdx, rdx
        jnz 3f
        xor rax, r8
3:      shl rax, 1
        add rax, 1
        dec rcx
        jnz 1b
        ret
branch_pred64_end:

        .balign 64
branch_unpred64:
        movabs r8, 0x123456789ABCDEF0
        movabs r9, 0x0F0E0D0C0B0A0908
1:      mov rdx, r8
        shl rdx, 13
        xor r8, rdx
        mov rdx, r8
        shr rdx, 7
        xor r8, rdx
        mov rdx, r8
        shl rdx, 17
        xor r8, rdx
        mov rdx, r8
        and rdx, 1
        jz 2f
        add r9, r8
        jmp 3f
2:      xor r9, r8
        jmp 3f
3:      dec rcx
        jnz 1b
        mov rax, r9
        ret
branch_unpred64_end:

        .balign 64
mem_seq64:
        movabs rax, 0x0123456789ABCDEF
        xor rdx, rdx
1:      mov r8, [rdi+rdx]
        add rax, r8
        xor r8, rax
        mov [rdi+rdx], r8
        add rdx, 8
        and rdx, 0xfff
        dec rcx
        jnz 1b
        ret
mem_seq64_end:

        .balign 64
mem_stride64:
        movabs rax, 0x0123456789ABCDEF
        xor rdx, rdx
1:      mov r8, [rdi+rdx]
        add rax, r8
        xor r8, rax
        mov [rdi+rdx], r8
        add rdx, 64
        and rdx, 0xfff
        dec rcx
        jnz 1b
        ret
mem_stride64_end:

        .balign 64
call_ret64:
        movabs rax, 0xFEEDFACECAFEBEEF
        movabs rbx, 0x9E3779B97F4A7C15
1:      call 2f
        dec rcx
        jnz 1b
        ret
2:      push rbx
        push rsi
        add rax, rbx
        xor rax, 0x1f123bb5
        shl rax, 3
        pop rsi
        pop rbx
        ret
call_ret64_end:

.code32
        .balign 64
alu32:
        mov eax, 0x9ABCDEF0
        mov ebx, 0x7F4A7C15
1:      add eax, ebx
        mov edx, eax
        shr edx, 13
        xor eax, edx
        shl eax, 1
        dec ecx
        jnz 1b
        ret
alu32_end:

        .balign 64
branch_pred32:
        mov eax, 0x9ABCDEF0
        mov ebx, 0x7F4A7C15
1:      xor edx, edx
        jnz 2f
        add eax, ebx
2:      xor edx, edx
        jnz 3f
        xor eax, ebx
3:      shl eax, 1
        add eax, 1
        dec ecx
        jnz 1b
        ret
branch_pred32_end:

        .balign 64
branch_unpred32:
        mov ebx, 0x9ABCDEF0
        mov esi, 0x0B0A0908
1:      mov edx, ebx
        shl edx, 13
        xor ebx, edx
        mov edx, ebx
        shr edx, 7
        xor ebx, edx
        mov edx, ebx
        shl edx, 17
        xor ebx, edx
        mov edx, ebx
        and edx, 1
        jz 2f
        add esi, ebx
        jmp 3f
2:      xor esi, ebx
        jmp 3f
3:      dec ecx
        jnz 1b
        mov eax, esi
        ret
branch_unpred32_end:

        .balign 64
mem_seq32:
        mov eax, 0x89ABCDEF
        xor edx, edx
1:      mov ebx, [edi+edx]
        add eax, ebx
        xor ebx, eax
        mov [edi+edx], ebx
        add edx, 4
        and edx, 0xfff
        dec ecx
        jnz 1b
        ret
mem_seq32_end:

        .balign 64
mem_stride32:
        mov eax, 0x89ABCDEF
        xor edx, edx
1:      mov ebx, [edi+edx]
        add eax, ebx
        xor ebx, eax
        mov [edi+edx], ebx
        add edx, 64
        and edx, 0xfff
        dec ecx
        jnz 1b
        ret
mem_stride32_end:

        .balign 64
call_ret32:
        mov eax, 0xCAFEBEEF
        mov ebx, 0x7F4A7C15
1:      call 2f
        dec ecx
        jnz 1b
        ret
2:      push ebx
        push esi
        add eax, ebx
        xor eax, 0x1f123bb5
        shl eax, 3
        pop esi
        pop ebx
        ret
call_ret32_end:
