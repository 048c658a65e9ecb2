/* Real-address mode: 64 KiB segments and what happens at their ends, vectors, the A20 gates, unreal mode, the coprocessor's
   interrupt (SDM 3A chapter 21; PC/AT Technical Reference). */
#include "post.inc"

        .set    SEGMENT, 0x3000         /* 64 KiB to play with */
        .set    SPARE_SEGMENT, 0x4000

/* What stands between them raises \vector, whose frame returns to \ip. Everything of the segments is kept but for CS:IP;
   SP is back at its place. */
.macro BEGIN16
        movw    $-1, %cs:REAL(got_vector)
        movw    %sp, %cs:REAL(saved_sp)
        movw    %ss, %cs:REAL(saved_sp) + 2
        movw    $REAL(8804f), %cs:REAL(resume)
.endm

.macro END16 vector, ip
8804:
        cmpw    $\vector, %cs:REAL(got_vector)
        CHECK16 je
        .ifnb   \ip
        cmpw    $\ip, %cs:REAL(got_ip)
        CHECK16 je
        .endif
.endm

main16:
        STEP16  0x01
        /* Vectors 0 to 31 and 0x75 record and resume; their stubs are eight bytes apart. */
        xorw    %ax, %ax
        movw    %ax, %es
        xorw    %di, %di
        movw    $REAL(stubs16), %ax
1:      stosw
        movw    $0xf000, %es:(%di)
        addw    $2, %di
        addw    $8, %ax
        cmpw    $32 * 4, %di
        jb      1b
        movw    $REAL(coprocessor), %es:(0x75 * 4)
        movw    $0xf000, %es:(0x75 * 4 + 2)

        /* Flags, as firmware has always begun. */
        STEP16  0x02
        movb    $0xd5, %ah
        sahf
        CHECK16 jc
        CHECK16 jz
        CHECK16 js
        CHECK16 jp
        lahf
        cmpb    $0xd7, %ah
        CHECK16 je
        movb    $0x7f, %al
        incb    %al
        CHECK16 jo
        pushw   $0x7002                 /* the 16-bit image keeps IOPL and NT */
        popfw
        pushfw
        popw    %ax
        andw    $0xf002, %ax
        cmpw    $0x7002, %ax
        CHECK16 je
        pushw   $2
        popfw

        /* Exceptions of instructions; there are no error codes. */
        STEP16  0x03
        BEGIN16
        xorw    %cx, %cx
divides:
        divw    %cx
        END16   0, REAL(divides)
        BEGIN16
        movb    $0x80, %al
        cmpb    $1, %al
        into
overflows:
        END16   4, REAL(overflows)
        BEGIN16
undefined:
        ud2
        END16   6, REAL(undefined)
        BEGIN16
        int3
behind_int3:
        END16   3, REAL(behind_int3)
        BEGIN16
        lldt    %ax
        END16   6
        movw    $SEGMENT, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    $5, 0
        movw    $7, 2
        movw    $8, %bx
        BEGIN16
        bound   %bx, 0
        END16   5
        movw    $7, %bx
        BEGIN16
        bound   %bx, 0
        END16   -1

        /* Addresses wrap at 64 KiB, accesses do not. */
        STEP16  0x04
        movb    $0x5a, 0x10
        movw    $0xff00, %bx
        movw    $0x110, %si
        movb    (%bx,%si), %al
        cmpb    $0x5a, %al
        CHECK16 je
        movb    $0xa5, 0xffff
        BEGIN16
wide:   movw    0xffff, %ax
        END16   13, REAL(wide)
        BEGIN16
        movl    0xfffd, %eax
        END16   13
        BEGIN16
        movl    $0x10000, %ebx
beyond: movb    (%ebx), %al
        END16   13, REAL(beyond)
        STEP16  0x05                    /* strings wrap their index registers */
        movw    $0xffff, %si
        movw    $0x20, %di
        movw    $2, %cx
        movb    $0x77, 0
        rep movsb
        cmpw    $1, %si
        CHECK16 je
        cmpw    $0x77a5, 0x20
        CHECK16 je
        movw    $0xffff, %si
        BEGIN16
        lodsw
        END16   13

        /* The stack wraps too, but a word lies within it. */
        STEP16  0x06
        movw    %ax, %ss
        xorw    %sp, %sp
        pushw   $0x1357
        cmpw    $0xfffe, %sp
        CHECK16 je
        cmpw    $0x1357, 0xfffe
        CHECK16 jne                     /* SS is not SEGMENT: it was loaded from what LODSW left */
        movw    $SEGMENT, %ax
        movw    %ax, %ss
        movw    $0xffff, %sp
        BEGIN16
        popw    %ax
        END16   12
        BEGIN16
        movw    $0xfffe, %bp
        movl    (%bp), %eax
        END16   12
        xorw    %ax, %ax
        movw    %ax, %ss
        movw    $STACK, %sp

        /* Code: an instruction ends where its segment does. */
        STEP16  0x07
        movw    $0x00b8, 0xfffe         /* mov $0x..00, %ax lacks a byte */
        BEGIN16
        ljmp    $SEGMENT, $0xfffe
        END16   13, 0xfffe
        movw    $0x9090, 0xfffe
        BEGIN16
        ljmp    $SEGMENT, $0xfffe
        END16   13, 0                   /* IP is 0x10000, of which 16 bits are pushed */
        movl    $0x0b0f00eb, 0xfffb     /* jmp to the next instruction; ud2: within the limit */
        BEGIN16
        ljmp    $SEGMENT, $0xfffb
        END16   6, 0xfffd

        /* A vector beyond the table's limit. */
        STEP16  0x08
        lidtw   %cs:REAL(short_table)
        BEGIN16
outside:
        int     $0x21
        END16   13, REAL(outside)
        lidtw   %cs:REAL(whole_table)

        /* What the instruction is comes before what it addresses. */
        STEP16  0x09
        movl    %cr0, %eax
        orb     $4, %al                 /* EM */
        movl    %eax, %cr0
        BEGIN16
        fldl    0xfffc
        END16   7
        movl    %cr0, %eax
        andb    $~4, %al
        movl    %eax, %cr0
        BEGIN16
        fldl    0xfffc
        END16   13
        BEGIN16
        movaps  0xfffc, %xmm0           /* CR4.OSFXSR is clear */
        END16   6

        /* TF, and the instruction behind a load of SS. */
        STEP16  0x0a
        BEGIN16
        pushw   $0x102
        popfw
        nop
stepped:
        nop
        END16   1, REAL(stepped)
        BEGIN16
        xorw    %ax, %ax
        pushw   $0x102
        popfw
        movw    %ax, %ss
        nop
stepped2:
        nop
        END16   1, REAL(stepped2)

        /* A20: closed at both gates, and opened at either. */
        STEP16  0x10
        xorw    %ax, %ax
        movw    %ax, %es
        decw    %ax
        movw    %ax, %ds
        movw    $0x1111, %es:0x500
        movw    $0x2222, 0x510          /* 0x100500 */
        cmpw    $0x1111, %es:0x500
        CHECK16 je
        inb     $0x92, %al
        andb    $~3, %al
        outb    %al, $0x92
        cmpw    $0x2222, 0x510          /* the other gate is open */
        CHECK16 je
        movb    $0xdd, %al
        outb    %al, $0x64
        cmpw    $0x1111, 0x510
        CHECK16 je
        movw    $0x3333, 0x510
        cmpw    $0x3333, %es:0x500
        CHECK16 je
        STEP16  0x11
        movb    $0xdf, %al
        outb    %al, $0x64
        cmpw    $0x2222, 0x510
        CHECK16 je
        movb    $0xdd, %al
        outb    %al, $0x64
        cmpw    $0x3333, 0x510
        CHECK16 je
        inb     $0x92, %al
        orb     $2, %al
        outb    %al, $0x92
        cmpw    $0x2222, 0x510
        CHECK16 je

        /* Unreal mode: a limit of 4 GiB stays. */
        STEP16  0x12
        lgdtl   %cs:REAL(gdt_pointer)
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        movw    $DATA32, %bx
        movw    %bx, %fs
        andb    $~1, %al
        movl    %eax, %cr0
        xorw    %ax, %ax
        movw    %ax, %fs
        movl    $0x200000, %ebx
        BEGIN16
        movl    $0x13572468, %fs:(%ebx)
        movl    %fs:(%ebx), %ecx
        END16   -1
        cmpl    $0x13572468, %ecx
        CHECK16 je
        BEGIN16
        movl    %es:(%ebx), %ecx        /* not through the others */
        END16   13

        /* CR0.NE clear: an x87 error is IRQ 13, before the instruction that waits. */
        STEP16  0x20
        movw    $0xf000, %ax
        movw    %ax, %ds
        movb    $0x11, %al
        outb    %al, $0x20
        outb    %al, $0xa0
        movb    $0x08, %al
        outb    %al, $0x21
        movb    $0x70, %al
        outb    %al, $0xa1
        movb    $0x04, %al
        outb    %al, $0x21
        movb    $0x02, %al
        outb    %al, $0xa1
        movb    $0x01, %al
        outb    %al, $0x21
        outb    %al, $0xa1
        movb    $0xfb, %al
        outb    %al, $0x21
        movb    $0xdf, %al
        outb    %al, $0xa1
        movb    $0xdf, %al              /* lets IRQ 13 through */
        fninit
        movw    $0x37b, REAL(control_word)      /* zero divide is not masked */
        fldcw   REAL(control_word)
        sti
        fld1
        fldz
        fdivrp                          /* 1 / 0; nothing yet */
        movl    %cr0, %eax
        cmpw    $0, REAL(interrupts)
        CHECK16 je
waits:  fwait
        cmpw    $1, REAL(interrupts)
        CHECK16 je
        cmpw    $REAL(waits), REAL(interrupted)
        CHECK16 je
        STEP16  0x21                    /* again, with interrupts off: it is ignored */
        cli
        fldz
        fld1
        fdivp
        fwait
        fninit
        cmpw    $1, REAL(interrupts)
        CHECK16 je
        PASS16

coprocessor:
        pushw   %ax
        pushw   %bp
        movw    %sp, %bp
        movw    4(%bp), %ax
        movw    %ax, %cs:REAL(interrupted)
        incw    %cs:REAL(interrupts)
        xorb    %al, %al
        outb    %al, $0xf0
        fnclex
        movb    $0x20, %al
        outb    %al, $0xa0
        outb    %al, $0x20
        popw    %bp
        popw    %ax
        iretw

        .balign 8
stubs16:
        .set    vector16, 0
        .rept   32
        pushw   $vector16
        jmp     record16
        .balign 8
        .set    vector16, vector16 + 1
        .endr

record16:
        popw    %cs:REAL(got_vector)
        popw    %cs:REAL(got_ip)
        movw    %cs:REAL(saved_sp) + 2, %ss
        movw    %cs:REAL(saved_sp), %sp
        jmp     *%cs:REAL(resume)

        .balign 4
control_word: .word 0
interrupts:   .word 0
interrupted:  .word 0
short_table:
        .word   0x83
        .long   0
whole_table:
        .word   0x3ff
        .long   0
        END_OF_ROM
