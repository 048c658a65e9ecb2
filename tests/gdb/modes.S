/* The firmware of a machine for GDB: counts in real mode, calls a function in 32-bit code and spins in 64-bit code,
   with the labels that the tests stop at. Linked where its copy below 1 MiB is. */
        .text
        .code16
        .globl _start
_start: cli
        xorw %ax, %ax
        movw %ax, %ds
        movw $3, %cx
real_loop:
        incw 0x500
        loop real_loop
real_done:
        /* Everything from here on is where the linker put it. */
        lgdtl %cs:(gdt_descriptor - 0xf0000)
        movl %cr0, %eax
        orb $1, %al
        movl %eax, %cr0
        ljmpl $8, $protected
        .code32
protected:
        movw $16, %ax
        movw %ax, %ds
        movw %ax, %es
        movw %ax, %ss
        movl $0x8000, %esp
        movl $0x11223344, %ebx
protected_mark:
        movl %ebx, 0x600
        call protected_function
        xorl %eax, %eax
        movl $0x10000, %edi
        movl $0x3000, %ecx
        cld
        rep stosl
        movl $0x11007, 0x10000
        movl $0x12007, 0x11000
        movl $0x00087, 0x12000
        movl $0x10000, %eax
        movl %eax, %cr3
        movl %cr4, %eax
        orl $0x20, %eax
        movl %eax, %cr4
        movl $0xc0000080, %ecx
        rdmsr
        orl $0x100, %eax
        wrmsr
        movl %cr0, %eax
        orl $0x80000000, %eax
        movl %eax, %cr0
        ljmpl $24, $long_mode
protected_function:
        incl 0x604
        ret
        .code64
long_mode:
        movabsq $0x123456789abcdef0, %r9
long_mark:
        movq %r9, 0x700
        xorl %ecx, %ecx
long_loop:
        incq %rcx
        movq %rcx, 0x708
        movq 0x700, %rax
        jmp long_loop
        .balign 8
gdt:    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff
gdt_descriptor:
        .word 31
        .long gdt
        .org 0xfff0
        .code16
reset:  ljmpw $0xf000, $0
        .org 0x10000
