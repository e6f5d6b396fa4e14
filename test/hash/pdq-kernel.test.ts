import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { formatHash } from '../../packages/hash/src/hash256.js'
import { wasmBase64 } from '../../packages/hash/src/pdq.generated.js'
import { dctMatrix, type PdqResult, pdq, samplePosition, samplesOf, windowOf } from '../../packages/hash/src/pdq.js'
import { loadPdqKernelSync } from '../../packages/hash/src/pdq-kernel.js'
import { MAX_SIDE_PX, type Pixels } from '../../packages/hash/src/pixels.js'
import { runs } from '../helpers/runs.js'
import { withMemory } from './kernel-memory.js'
import { noisy } from './synthetic.js'

const kernel = loadPdqKernelSync()
const bits = ({ quality, dihedrals }: PdqResult) => [quality, ...dihedrals.map(formatHash)]

const channels = fc.constantFrom(1 as const, 3 as const, 4 as const)
const seed = fc.nat()

t.test('the kernel equals the oracle on pictures of any size', async () => {
  // Windows change at multiples of 128 and lanes at multiples of 4, so sides near those are drawn as often as all others.
  const nearAMultiple = fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: -4, max: 4 }))
    .map(([n, d]) => 128 * n + d)
  const side = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 13, max: 300 }), nearAMultiple)
  fc.assert(
    fc.property(seed, side, side, channels, (seed, width, height, channels) => {
      const picture = noisy(seed, width, height, channels)
      assert.deepEqual(bits(kernel.hash(picture)), bits(pdq(picture)))
    }),
    { numRuns: runs(50) },
  )
})

t.test('the kernel equals the oracle in every sample, down to rounding errors that hash bits would hide', async () => {
  const side = fc.oneof(fc.integer({ min: 5, max: 40 }), fc.integer({ min: 41, max: 700 }))
  const samples = kernelSamples()
  fc.assert(
    fc.property(seed, side, side, channels, (seed, width, height, channels) => {
      const picture = noisy(seed, width, height, channels)
      assert.deepEqual(samples(picture), samplesOf(picture))
    }),
    {
      numRuns: runs(20),
      examples: [
        [7, 64, 64, 3],
        [7, 2049, 33, 4],
        [7, 33, 1300, 1],
      ],
    },
  )
})

t.test('every sample lies where the second average has a whole window, for any length', async (t) => {
  const cut = Array.from({ length: MAX_SIDE_PX - 4 }, (_, k) => k + 5).filter((length) => {
    const window = windowOf(length)
    const ahead = Math.floor((window + 2) / 2) - 1
    return samplePosition(63, length) + ahead >= length || samplePosition(0, length) + ahead < window - 1
  })

  t.same(cut, [])
})

t.test('the kernel equals the oracle on sizes that take another path', async (t) => {
  const sizes = [
    [64, 64],
    [63, 64],
    [64, 65],
    [1, 500],
    [500, 1],
    [4, 5],
    [5, 5],
    [5, 3000],
    [3000, 5],
    [2049, 33],
    [257, 1300],
  ]
  for (const [width = 0, height = 0] of sizes) {
    for (const channels of [1, 3, 4] as const) {
      const picture = noisy(7, width, height, channels)
      t.same(bits(kernel.hash(picture)), bits(pdq(picture)), `${width} × ${height}, ${channels} channels`)
    }
  }
})

// The reference counts in float32: 100 times this step, divided by 255, rounds up to 47; in double precision it stays below.
t.test('the steps of quality are counted as float32 rounds them', async (t) => {
  const [left, right] = [
    [137, 0, 159],
    [219, 176, 89],
  ] as const
  const data = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => ((i / 3) % 64 < 32 ? left : right)[i % 3] ?? 0)
  const picture: Pixels = { data, width: 64, height: 64, channels: 3 } // as large as the samples, so that nothing is averaged

  const quality = Math.floor((64 * 47) / 90)
  t.not(quality, Math.floor((64 * 46) / 90))
  t.equal(pdq(picture).quality, quality)
  t.equal(kernel.hash(picture).quality, quality)
})

t.test('a picture too small to hash has the zero hash and quality 0', async (t) => {
  for (const { quality, hash } of [kernel.hash(noisy(1, 4, 300, 3)), pdq(noisy(1, 300, 4, 3))]) {
    t.equal(quality, 0)
    t.equal(formatHash(hash), '0'.repeat(64))
  }
})

t.test('alpha is ignored', async (t) => {
  const clear = noisy(3, 70, 90, 4)
  const data = clear.data.map((byte, i) => (i % 4 === 3 ? 255 - byte : byte))

  t.same(bits(kernel.hash({ ...clear, data })), bits(kernel.hash(clear)))
})

t.test('the kernel sums the blocks of blockhash exactly, even where their borders cut pixels', async () => {
  fc.assert(
    fc.property(
      seed,
      fc.integer({ min: 16, max: 150 }),
      fc.integer({ min: 16, max: 150 }),
      channels,
      (seed, width, height, channels) => {
        const picture = noisy(seed, width, height, channels)
        const { blockTotals } = kernel.hash(picture)
        assert.deepEqual(blockTotals, blockTotalsOf(picture))
      },
    ),
    { numRuns: runs(30) },
  )
})

t.test('a side shorter than the blocks has no block totals', async (t) => {
  t.equal(kernel.hash(noisy(1, 15, 40, 3)).blockTotals, undefined)
  t.equal(kernel.hash(noisy(1, 40, 3, 3)).blockTotals, undefined)
})

t.test('the kernel keeps nothing of a picture: its memory is the same after any picture', async (t) => {
  const { kernel: observed, memory } = withMemory(t, loadPdqKernelSync)

  const kept = (hash: () => unknown) => {
    hash()
    return Buffer.from(memory.buffer).toString('base64')
  }
  const samples = (seed: number) => Float32Array.from(noisy(seed, 64, 64, 1).data)

  const first = kept(() => observed.hash(noisy(1, 333, 217, 3)))
  t.ok(first === kept(() => observed.hash(noisy(2, 333, 217, 3))))
  t.ok(first === kept(() => observed.hashSamples(samples(1))), 'nothing of samples that were taken elsewhere')
  t.ok(first === kept(() => observed.hashSamples(samples(2))))
})

t.test('the kernel reports the median coefficient of its samples', async (t) => {
  const samples = Float32Array.from(noisy(11, 64, 64, 1).data)
  const matrix = dctMatrix()
  const half = productOf(matrix, 16, samples, 64)
  const rotated = Float32Array.from(matrix, (_, k) => matrix[(k % 16) * 64 + Math.floor(k / 16)] ?? 0)
  const sizes = productOf(half, 16, rotated, 16).map(Math.abs).sort()

  t.ok(Math.abs(kernel.hashSamples(samples).medianCoefficient - (sizes[128] ?? 0)) < 1e-3)
})

t.test('the kernel stays correct when a small picture follows a large one', async (t) => {
  const small = noisy(5, 90, 61, 3)
  const before = bits(kernel.hash(small))

  kernel.hash(noisy(6, 700, 500, 4))

  t.same(bits(kernel.hash(small)), before)
})

/** @param a [rows × 64]; @param b [64 × columns]. */
function productOf(a: Float32Array, rows: number, b: Float32Array, columns: number): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns]
    let sum = 0
    for (let k = 0; k < 64; k++) sum += (a[row * 64 + k] ?? 0) * (b[k * columns + column] ?? 0)
    return sum
  })
}

/** The kernel's samples before it erases them, through its raw exports. */
function kernelSamples(): (picture: Pixels) => Float32Array {
  const module = new WebAssembly.Module(Buffer.from(wasmBase64, 'base64'))
  const { memory, begin, stripAt, push, SAMPLES } = new WebAssembly.Instance(module).exports
  assert.ok(memory instanceof WebAssembly.Memory && SAMPLES instanceof WebAssembly.Global)
  assert.ok(typeof begin === 'function' && typeof stripAt === 'function' && typeof push === 'function')
  return ({ data, width, height, channels }) => {
    const rowsAtOnce: number = begin(width, height, channels)
    for (let y = 0; y < height; y += rowsAtOnce) {
      const rows = data.subarray(y * width * channels, (y + rowsAtOnce) * width * channels)
      new Uint8Array(memory.buffer, stripAt()).set(rows)
      push(rows.length / (width * channels))
    }
    return new Float32Array(memory.buffer, SAMPLES.value, 64 * 64).slice()
  }
}

/** Sums in doubles, pixel by pixel: shares of a pixel are multiples of 1/256, so nothing is rounded. */
function blockTotalsOf({ data, width, height, channels }: Pixels): number[] {
  const totals = new Array<number>(256).fill(0)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * channels
      const red = data[at] ?? 0
      const value = channels === 1 ? 3 * red : red + (data[at + 1] ?? 0) + (data[at + 2] ?? 0)
      for (const [row, rowShare] of shares(y, height)) {
        for (const [column, columnShare] of shares(x, width)) {
          totals[row * 16 + column] = (totals[row * 16 + column] ?? 0) + value * rowShare * columnShare
        }
      }
    }
  }
  return totals
}

function shares(at: number, length: number): [block: number, share: number][] {
  const first = Math.floor((16 * at) / length)
  const share = Math.min(1, ((first + 1) * length) / 16 - at)
  return share < 1
    ? [
        [first, share],
        [first + 1, 1 - share],
      ]
    : [[first, 1]]
}
