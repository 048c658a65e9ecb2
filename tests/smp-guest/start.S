// Where the processors begin: the first one in 64-bit mode, as boot.linux leaves it; the others in
// real mode, at a copy of `trampoline` below 1 MiB.

.set trampoline_address, 0x50000
.set stack_bytes, 0x4000

.section .text.start, "ax"
.globl _start
_start:
    mov $stacks + stack_bytes, %rsp
    lgdt gdt_pointer(%rip)
    push $0x08
    push $1f
    lretq
1:  mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov %rsi, %rdi
    call first_main
2:  hlt
    jmp 2b

.section .data
.balign 8
.globl gdt, gdt_pointer
gdt:
    .quad 0
    .quad 0x00af9b000000ffff
    .quad 0x00cf93000000ffff
gdt_pointer:
    .word gdt_pointer - gdt - 1
    .quad gdt

// Goes from real mode to 64-bit mode at once. The page tables are those of the first processor.
.globl trampoline, trampoline_end, trampoline_cr3
.balign 16
.code16
trampoline:
    cli
    lgdtl %cs:(low_gdt_pointer - trampoline)
    movl %cs:(trampoline_cr3 - trampoline), %eax
    movl %eax, %cr3
    movl $0x620, %eax               // PAE, OSFXSR, OSXMMEXCPT
    movl %eax, %cr4
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x100, %eax
    wrmsr
    movl $0x80000033, %eax
    movl %eax, %cr0
    ljmpl $0x08, $(trampoline_address + in_64_bits - trampoline)
.code64
in_64_bits:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov starting_cpu, %edi
    lea 1(%rdi), %eax
    imul $stack_bytes, %eax, %eax
    lea stacks(%rax), %rsp
    mov $other_main, %eax
    call *%rax
3:  hlt
    jmp 3b
.balign 8
low_gdt:
    .quad 0
    .quad 0x00af9b000000ffff
    .quad 0x00cf93000000ffff
low_gdt_pointer:
    .word low_gdt_pointer - low_gdt - 1
    .long trampoline_address + low_gdt - trampoline
.balign 4
trampoline_cr3:
    .long 0
trampoline_end:

.section .bss
.balign 16
.globl stacks
stacks:
    .fill 4 * stack_bytes
