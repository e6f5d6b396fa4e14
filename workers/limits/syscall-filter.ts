// The system calls that a decoding process never needs, as a filter that the kernel runs (seccomp, in classic BPF).
//
// A limit on memory holds for one process, so a process that starts others, or takes memory that is not counted as its own, has none. Decoders start
// threads and no processes, and share no memory. A filter needs neither root nor namespaces, and touches no other program.

interface Processor {
  /** AUDIT_ARCH_…: the same number is another call on another architecture. */
  readonly architecture: number
  /** Numbers of system calls. */
  readonly clone: number
  readonly mmap: number
  /** Refused whatever their arguments are. */
  readonly refused: readonly number[]
}

/** By the names of `process.arch`. Both are little-endian, which `LOW_HALF` relies on. */
const PROCESSORS = {
  // fork, vfork, shmget. Numbers from 0x40000000 are the calls of x32, a second set.
  x64: { architecture: 0xc000003e, clone: 56, mmap: 9, refused: [57, 58, 29] },
  // shmget. There is neither fork nor vfork.
  arm64: { architecture: 0xc00000b7, clone: 220, mmap: 222, refused: [194] },
} as const satisfies Record<string, Processor>

export type FilteredProcessor = keyof typeof PROCESSORS
export const FILTERED_PROCESSORS: readonly FilteredProcessor[] = ['x64', 'arm64']

const CLONE3 = 435
const X32 = 0x40000000
const CLONE_THREAD = 0x10000
const MAP_SHARED = 0x1
const MAP_ANONYMOUS = 0x20
/** Memory that the kernel counts as a stack, and not as data. */
const MAP_GROWSDOWN = 0x100

const ALLOW = 0x7fff0000
const REFUSE = 0x50000
const EPERM = 1
const ENOSYS = 38

/** Offsets in `struct seccomp_data`. */
const CALL = 0
const ARCHITECTURE = 4
const LOW_HALF = (argument: number) => 16 + 8 * argument

/** The filter, as `setpriv --seccomp-filter` reads it: instructions of 8 bytes. */
export function syscallFilter(processor: FilteredProcessor): Buffer {
  const { architecture, clone, mmap, refused } = PROCESSORS[processor]
  return Buffer.concat([
    load(ARCHITECTURE),
    unless(equal(architecture), refuse(EPERM)),
    load(CALL),
    when(atLeast(X32), refuse(EPERM)),
    // Its flags are in memory, which a filter cannot read. The C library then uses clone.
    when(equal(CLONE3), refuse(ENOSYS)),
    ...refused.map((call) => when(equal(call), refuse(EPERM))),
    when(equal(clone), load(LOW_HALF(0)), unless(anyOf(CLONE_THREAD), refuse(EPERM)), allow()),
    when(
      equal(mmap),
      load(LOW_HALF(3)),
      when(anyOf(MAP_GROWSDOWN), refuse(EPERM)),
      when(anyOf(MAP_SHARED), when(anyOf(MAP_ANONYMOUS), refuse(EPERM))),
    ),
    allow(),
  ])
}

type Test = (ifTrue: number, ifFalse: number) => Buffer

function equal(value: number): Test {
  return (ifTrue, ifFalse) => instruction(0x15, value, ifTrue, ifFalse)
}

function atLeast(value: number): Test {
  return (ifTrue, ifFalse) => instruction(0x35, value, ifTrue, ifFalse)
}

function anyOf(bits: number): Test {
  return (ifTrue, ifFalse) => instruction(0x45, bits, ifTrue, ifFalse)
}

function load(offset: number): Buffer {
  return instruction(0x20, offset)
}

function allow(): Buffer {
  return instruction(0x06, ALLOW)
}

function refuse(error: number): Buffer {
  return instruction(0x06, REFUSE | error)
}

function when(test: Test, ...then: readonly Buffer[]): Buffer {
  const body = Buffer.concat(then)
  return Buffer.concat([test(0, body.length / SIZE), body])
}

function unless(test: Test, ...then: readonly Buffer[]): Buffer {
  const body = Buffer.concat(then)
  return Buffer.concat([test(body.length / SIZE, 0), body])
}

const SIZE = 8

/** `struct sock_filter`: the jumps count the instructions to skip. */
function instruction(code: number, value: number, ifTrue = 0, ifFalse = 0): Buffer {
  const bytes = Buffer.alloc(SIZE)
  bytes.writeUInt16LE(code, 0)
  bytes.writeUInt8(ifTrue, 2)
  bytes.writeUInt8(ifFalse, 3)
  bytes.writeUInt32LE(value, 4)
  return bytes
}
