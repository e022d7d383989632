# A firmware for tests: does through the mailbox what the host asks, and so lets it look at all that the processor reaches.
# The commands are those of build.py; offsets of registers come from the register map.

.equ REGISTERS, 0x10000000
.equ INTERRUPTS, 0x8000        # how many there were

.globl _start
_start:
    la      t0, trap
    csrw    mtvec, t0
    li      s0, REGISTERS
    li      s1, INTERRUPTS
    sw      zero, 0(s1)
    li      t0, 0x800          # mie.MEIE
    csrw    mie, t0
    csrsi   mstatus, 8         # mstatus.MIE
    li      t0, 1
    sw      t0, BOOT_CODE(s0)

wait:
    lw      t0, INTERRUPT_STATUS(s0)
    andi    t0, t0, 1
    beqz    t0, wait
    lw      a0, MAILBOX_COMMAND(s0)
    lw      a1, MAILBOX_LOW(s0)
    lw      a2, MAILBOX_HIGH(s0)
    srli    a0, a0, 16
    li      t0, COMMAND_PEEK
    beq     a0, t0, peek
    li      t0, COMMAND_UPPER
    beq     a0, t0, upper
    li      t0, COMMAND_POKE
    beq     a0, t0, poke
    li      t0, COMMAND_POKE_BYTE
    beq     a0, t0, poke_byte
    li      t0, COMMAND_TRAP
    beq     a0, t0, unknown
    li      a0, 0x11           # INVALID_COMMAND

answer:
    sw      a0, MAILBOX_RESPONSE(s0)
    j       wait

peek:
    lw      s2, 0(a1)
    slli    a0, s2, 16
    srli    a0, a0, 16
    j       answer

upper:
    srli    a0, s2, 16
    j       answer

poke:
    sw      a2, 0(a1)
    li      a0, 0
    j       answer

poke_byte:
    sb      a2, 0(a1)
    li      a0, 0
    j       answer

unknown:
    .word   0

.balign 4
trap:
    csrr    t1, mcause
    bltz    t1, interrupt
    li      t1, 0xff           # TRAP
    sw      t1, BOOT_CODE(s0)
halt:
    j       halt

interrupt:
    lw      t1, 0(s1)
    addi    t1, t1, 1
    sw      t1, 0(s1)
    sw      zero, INTERRUPT_ENABLE(s0)
    mret
