# The PF-008 kernels as a guest of their own: an image in Linux's bzImage format, so that QEMU and Backplane boot the same
# file with -kernel. Made by tools/bench/pf008 with KERNEL (0 to 11) and REPEATS given to the assembler.
# Runs the kernel REPEATS times with 10 000 iterations each, writes "PASS" or "FAIL" to COM1 and ends the machine.
# Kernels from 6 on are 32-bit code, without paging.
.intel_syntax noprefix
.set load_address, 0x100000
.set is_code64, -(KERNEL < 6)

# Ends the machine, in 32- and in 64-bit code. ZF: the checksum is right.
.macro finish
        sete cl
        mov esi, load_address + passed - kernel
        je 1f
        mov esi, load_address + failed - kernel
1:      mov dx, 0x3f8
        mov bl, 5
2:      lodsb
        out dx, al
        dec bl
        jnz 2b
        mov al, 1
        sub al, cl
        mov dx, 0x501                   # isa-debug-exit
        out dx, al
3:      cli
        hlt
        jmp 3b
.endm

.section .text
image:
.code16
.org 0x1f1
        .byte 1                         # setup_sects
        .word 0
        .long (image_end - kernel + 15) / 16
        .word 0, 0, 0
        .word 0xaa55
        jmp setup                       # 0x200
        .ascii "HdrS"
        .word 0x020c
        .long 0
        .word 0, 0
        .byte 0xff, 1                   # type_of_loader; loadflags: loaded high
        .word 0
        .long load_address              # code32_start
        .long 0, 0                      # no initial RAM disk
        .long 0
        .word 0
        .byte 0, 0
        .long 0                         # cmd_line_ptr
        .long 0x7fffffff
        .long 0x1000                    # kernel_alignment
        .byte 0, 0                      # not relocatable
        .word is_code64                 # xloadflags: 64-bit entry at 0x200
        .long 255
        .long 0
        .quad 0
        .long 0, 0
        .quad 0
        .quad load_address              # pref_address
        .long 0x40000                   # init_size
        .long 0

# Real mode, entered by boot loaders that do not know the 64-bit protocol.
setup:
        cli
        mov ax, cs
        sub ax, 0x20
        mov ds, ax
        movzx ebx, ax
        shl ebx, 4
        lea eax, [ebx + descriptors - image]
        mov [descriptor_pointer - image + 2], eax
        lgdt [descriptor_pointer - image]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        .byte 0x66, 0xea                # jmp 0x10:load_address
        .long load_address
        .word 0x10

        .balign 8
descriptors:
        .quad 0, 0
        .quad 0x00cf9b000000ffff        # 10h: 32-bit code, 18h: data, as boot loaders have them too
        .quad 0x00cf93000000ffff
        .quad 0x00af9b000000ffff        # 20h: 64-bit code
descriptor_pointer:
        .word . - descriptors - 1
        .long 0

.org 0x400
kernel:
.code32
        mov eax, 0x18
        mov ds, eax
        mov es, eax
        mov ss, eax
.if !is_code64
        mov esp, load_address + 0x1f000
        mov ebp, REPEATS
again32:
        mov edi, load_address + 0x20000
        xor eax, eax
        mov ecx, 4096 / 4
        rep stosd
        mov edi, load_address + 0x20000
        mov ecx, 10000
        call [load_address + entries - kernel + KERNEL * 8]
        dec ebp
        jnz again32
        cmp eax, [load_address + checksums - kernel + KERNEL * 8]
        finish
.endif
        # Identity map of the first GiB by 2 MiB pages at 0x110000.
        mov edi, 0x110000
        xor eax, eax
        mov ecx, 0x3000 / 4
        rep stosd
        mov dword ptr [0x110000], 0x111003
        mov dword ptr [0x111000], 0x112003
        mov edi, 0x112000
        mov eax, 0x83
1:      mov [edi], eax
        add edi, 8
        add eax, 0x200000
        cmp edi, 0x113000
        jne 1b
        mov eax, 0x20
        mov cr4, eax
        mov eax, 0x110000
        mov cr3, eax
        mov ecx, 0xc0000080
        rdmsr
        or eax, 0x100
        wrmsr
        mov eax, cr0
        or eax, 0x80000000
        mov cr0, eax
        .byte 0xea                      # jmp 0x20:entry64
        .long load_address + 0x200
        .word 0x20

.org 0x600
.code64
entry64:
        mov rsp, load_address + 0x1f000
        mov r15, REPEATS
again:
        mov rdi, load_address + 0x20000
        xor eax, eax
        mov ecx, 4096 / 8
        rep stosq
        mov rdi, load_address + 0x20000
        mov ecx, 10000
        call [rip + entries + KERNEL * 8]
        dec r15
        jnz again

        cmp rax, [rip + checksums + KERNEL * 8]
        finish

passed: .ascii "PASS\n"
failed: .ascii "FAIL\n"
        .balign 8
entries:
        .irp name, alu64, branch_pred64, branch_unpred64, mem_seq64, mem_stride64, call_ret64
        .quad load_address + \name - kernel
        .endr
        .irp name, alu32, branch_pred32, branch_unpred32, mem_seq32, mem_stride32, call_ret32
        .quad load_address + \name - kernel
        .endr
checksums:
        .quad 0xf935f9482b8f99b8, 0xd7ab5d5aaad6afab, 0xdf14f128b035d3f0
        .quad 0xb744761306865560, 0xd8d5ee9d0da7ebb4, 0x0209be0771df5500
        .quad 0x30aae0b8, 0xaad6afab, 0xb1fdf341, 0x0cc50aff, 0x0da7ebb4, 0x71df5500

        .include "pf008_kernels.S"

        .balign 16
image_end:
