/* 32-bit paging, its 4 MiB pages, and PAE paging: what each mode permits and what error code it gives (SDM 3A 4.6, 4.7),
   accessed and dirty bits, reserved bits, SMEP and SMAP. */
#include "post.inc"

        .set    TEST, 0x800000          /* the page under test ... */
        .set    FRAME, 0x13000          /* ... and where it is: RET at its start, INT 30h at 16 */
        .set    DIRECTORY, 0x10000
        .set    LOW_TABLE, 0x11000      /* the first 4 MiB, for everybody */
        .set    TABLE, 0x12000
        .set    PAE_POINTERS, 0x14000
        .set    PAE_DIRECTORY, 0x15000
        .set    PAE_TABLE, 0x16000
        .set    NONE, -2                /* no fault expected */

        .set    WP, 0x10000
        .set    EFER, 0xc0000080

.macro SET register, bits               /* in CR0 or CR4 */
        movl    %\register, %eax
        orl     $\bits, %eax
        movl    %eax, %\register
.endm

.macro CLEAR register, bits
        movl    %\register, %eax
        andl    $~(\bits), %eax
        movl    %eax, %\register
.endm

.macro MAP flags                        /* the test page, with these low bits */
        movl    $FRAME | (\flags), ENTRY
        invlpg  TEST
.endm

.macro END_PAGE error, good=-1          /* a page fault with \error at TEST, or \good */
        .if (\error) == NONE
        END_FAULT \good
        .else
        END_FAULT 14, (\error)
        movl    %cr2, %eax
        andl    $~0x1f, %eax
        cmpl    $TEST, %eax
        CHECK   je
        .endif
.endm

/* SDM 3A 4.6: \user and \write say who does what. */
.macro CASE user, write, wp, flags
        .if \wp
        SET     cr0, WP
        .else
        CLEAR   cr0, WP
        .endif
        MAP     \flags
        .set    error, (\write) * 2 + (\user) * 4
        .if !((\flags) & 1)
        .elseif (\user) && !((\flags) & 4)
        .set    error, error + 1
        .elseif (\write) && !((\flags) & 2) && ((\user) || (\wp))
        .set    error, error + 1
        .else
        .set    error, NONE
        .endif
        BEGIN_FAULT
        .if \user
        .if \write
        USER    user_write
        .else
        USER    user_read
        .endif
        END_PAGE error, 0x30
        .else
        .if \write
        movl    %ebx, TEST + 4
        .else
        movl    TEST, %ebx
        .endif
        END_PAGE error
        .endif
        movl    ENTRY, %eax
        .if (error == NONE) && (\write)
        andl    $0x60, %eax
        cmpl    $0x60, %eax
        CHECK   je
        .elseif error == NONE
        andl    $0x60, %eax
        cmpl    $0x20, %eax
        CHECK   je
        .else
        testl   $0x40, %eax
        CHECK   jz
        .endif
.endm

.macro ALL_CASES
        .irp    user, 0, 1
        .irp    write, 0, 1
        .irp    wp, 0, 1
        .irp    flags, 0, 1, 2, 3, 4, 5, 6, 7
        CASE    \user, \write, \wp, \flags
        .endr
        .endr
        .endr
        .endr
.endm

main16:
        STEP16  0x01
        ENTER_PROTECTED
        movw    $0xc3c3, FRAME
        movl    $0x30cd, FRAME + 16
        movl    $LOW_TABLE, %edi
        movl    $7, %eax
1:      stosl
        addl    $0x1000, %eax
        cmpl    $LOW_TABLE + 0x1000, %edi
        jb      1b
        movl    $LOW_TABLE | 7, DIRECTORY
        movl    $TABLE | 7, DIRECTORY + 8
        movl    $DIRECTORY, %eax
        movl    %eax, %cr3

        STEP    0x02
        .set    ENTRY, TABLE
        SET     cr0, 0x80000000
        ALL_CASES

        /* The directory's bits count as well. */
        STEP    0x03
        SET     cr0, WP
        movl    $TABLE | 5, DIRECTORY + 8
        MAP     7
        BEGIN_FAULT
        movl    %ebx, TEST
        END_PAGE 3
        BEGIN_FAULT
        USER    user_read
        END_PAGE NONE, 0x30
        movl    $TABLE | 3, DIRECTORY + 8
        MAP     7
        BEGIN_FAULT
        USER    user_read
        END_PAGE 5
        movl    $0, DIRECTORY + 8
        invlpg  TEST
        BEGIN_FAULT
        movl    TEST, %ebx
        END_PAGE 0

        /* 4 MiB pages, and what of their entries is reserved; without PSE the bit means nothing. */
        STEP    0x04
        SET     cr4, 0x10
        movl    $0x87, DIRECTORY + 8    /* physical 0 */
        invlpg  TEST
        movl    TEST + FRAME + 16, %ebx
        cmpl    $0x30cd, %ebx
        CHECK   je
        testb   $0x20, DIRECTORY + 8
        CHECK   jnz
        movl    $0x200087, DIRECTORY + 8
        invlpg  TEST
        BEGIN_FAULT
        movl    TEST, %ebx
        END_PAGE 9
        BEGIN_FAULT
        movl    %ebx, TEST
        END_PAGE 0xb
        STEP    0x05
        CLEAR   cr4, 0x10
        movl    $TABLE | 0x87, DIRECTORY + 8
        MAP     7
        movl    TEST + 16, %ebx
        cmpl    $0x30cd, %ebx
        CHECK   je

        /* Global pages outlive a load of CR3, and not one that changes CR4.PGE. */
        STEP    0x06
        SET     cr4, 0x80
        MAP     0x107
        movl    TEST, %ebx
        movl    $0, TABLE
        movl    %cr3, %eax
        movl    %eax, %cr3
        BEGIN_FAULT
        movl    TEST, %ebx
        END_PAGE NONE
        CLEAR   cr4, 0x80
        BEGIN_FAULT
        movl    TEST, %ebx
        END_PAGE 0

        /* A word across two pages, of which the second is missing. */
        STEP    0x07
        MAP     7
        movl    $0, TABLE + 4
        movl    $0x11223344, %ecx
        BEGIN_FAULT
        movl    %ecx, TEST + 0xffe
        END_FAULT 14, 2
        movl    %cr2, %eax
        cmpl    $TEST + 0x1000, %eax
        CHECK   je
        movw    TEST + 0xffe, %ax
        cmpw    $0x3344, %ax            /* nothing was written */
        CHECK   jne

        /* SMEP and SMAP. The code and the stack are nobody's but privilege 0's now. */
        STEP    0x10
        movl    $LOW_TABLE | 3, DIRECTORY
        movl    %cr3, %eax
        movl    %eax, %cr3
        MAP     7
        BEGIN_FAULT
        call    reach_test
        END_PAGE NONE
        SET     cr4, 0x100000
        BEGIN_FAULT
        call    reach_test
        END_PAGE 0x11
        MAP     3
        BEGIN_FAULT
        call    reach_test
        END_PAGE NONE
        CLEAR   cr4, 0x100000
        STEP    0x11
        MAP     7
        SET     cr4, 0x200000
        BEGIN_FAULT
        movl    TEST, %ebx
        END_PAGE 1
        BEGIN_FAULT
        movl    %ebx, TEST
        END_PAGE 3
        stac
        BEGIN_FAULT
        movl    TEST, %ebx
        movl    %ebx, TEST + 4
        END_PAGE NONE
        clac
        BEGIN_FAULT
        movl    TEST, %ebx
        END_PAGE 1
        STEP    0x12                    /* POPF as well; what is implicit is refused in any case */
        pushl   $0x40002
        popfl
        movl    TEST, %ebx
        DESCRIPTOR gdt, FREE, 0x0000ffff, 0x00008280
        movl    $FREE, %eax
        lldt    %ax                     /* a table in the test page */
        movl    $4, %eax
        BEGIN_FAULT
        movl    %eax, %es
        END_PAGE 1
        clac

        /* PAE: the top entries are read with CR3, where their reserved bits are #GP. */
        STEP    0x20
        CLEAR   cr0, 0x80000000
        movl    $0, %eax
        movl    %eax, %cr4
        movl    $PAE_DIRECTORY | 1, PAE_POINTERS
        movl    $0x00000087, PAE_DIRECTORY
        movl    $PAE_TABLE | 7, PAE_DIRECTORY + 32
        .set    ENTRY, PAE_TABLE
        SET     cr4, 0x20
        movl    $PAE_POINTERS, %eax
        movl    %eax, %cr3
        SET     cr0, 0x80000000
        movl    $PAE_DIRECTORY | 3, PAE_POINTERS + 8
        movl    $PAE_POINTERS, %eax
        BEGIN_FAULT
        movl    %eax, %cr3
        END_FAULT 13, 0
        movl    $0, PAE_POINTERS + 8
        STEP    0x21
        ALL_CASES

        /* Reserved bits, among them NX until it is enabled. */
        STEP    0x22
        MAP     7
        movl    $0x80000000, ENTRY + 4
        invlpg  TEST
        BEGIN_FAULT
        movl    TEST, %ebx
        END_PAGE 9
        BEGIN_FAULT
        call    reach_test
        END_PAGE 9
        movl    $0x00100000, ENTRY + 4
        invlpg  TEST
        BEGIN_FAULT
        USER    user_write
        END_PAGE 0xf
        STEP    0x23
        movl    $EFER, %ecx
        rdmsr
        orl     $0x800, %eax
        wrmsr
        movl    $0x80000000, ENTRY + 4
        invlpg  TEST
        BEGIN_FAULT
        movl    TEST, %ebx
        END_PAGE NONE
        BEGIN_FAULT
        call    reach_test
        END_PAGE 0x11
        BEGIN_FAULT
        USER    TEST + 16
        END_PAGE 0x15
        movl    $0, ENTRY + 4
        invlpg  TEST
        BEGIN_FAULT
        USER    TEST + 16
        END_PAGE NONE, 0x30
        EXPECT  TEST + 18, got_ip
        STEP    0x24                    /* 2 MiB pages */
        movl    $0x00002087, PAE_DIRECTORY + 32
        invlpg  TEST
        BEGIN_FAULT
        movl    TEST, %ebx
        END_PAGE 9
        movl    $0x00000087, PAE_DIRECTORY + 32
        invlpg  TEST
        movl    TEST + FRAME + 16, %ebx
        cmpl    $0x30cd, %ebx
        CHECK   je
        STEP    0x25                    /* a missing top entry */
        BEGIN_FAULT
        movl    0x80000000, %ebx
        END_FAULT 14, 0
        PASS

user_read:
        movl    %ss:TEST, %ebx
        int     $0x30
user_write:
        movl    %ebx, %ss:TEST + 4
        int     $0x30
reach_test:
        movl    $TEST, %eax
        jmp     *%eax
        END_OF_ROM
