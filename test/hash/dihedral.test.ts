import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { blockhashDihedralsOf, dihedralsOf } from '../../packages/hash/src/dihedral.js'
import { distance, formatHash, type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { loadPdqKernelSync } from '../../packages/hash/src/pdq-kernel.js'
import { type TransformName, transforms } from '../../packages/hash/src/transforms.js'
import { drawn, rotatedPixels } from './synthetic.js'

const anyHash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => hashFromBytes(bytes))

const kinds = { pdq: dihedralsOf, blockhash: blockhashDihedralsOf }

// The composition of two transforms: the multiplication table of the symmetries of a square.
const laws: readonly (readonly TransformName[])[] = [
  ['rotate90', 'rotate90', 'rotate90', 'rotate90'],
  ['rotate90', 'rotate270'],
  ['rotate90', 'rotate90', 'rotate180'],
  ['flipX', 'flipX'],
  ['flipY', 'flipY'],
  ['flipPlus1', 'flipPlus1'],
  ['flipMinus1', 'flipMinus1'],
  ['flipX', 'flipY', 'rotate180'],
  ['flipY', 'flipPlus1', 'rotate270'],
  ['flipPlus1', 'flipX', 'rotate270'],
  ['rotate180', 'flipPlus1', 'flipMinus1'],
]

for (const [kind, dihedrals] of Object.entries(kinds)) {
  const apply = (hash: Hash256, name: TransformName): Hash256 => {
    const orientation = dihedrals(hash)[transforms.findIndex((transform) => transform.name === name)]
    if (orientation === undefined) throw new Error('eight ways')
    return orientation
  }

  t.test(`${kind}: rotating and mirroring a hash composes as rotating and mirroring pictures does`, async () => {
    fc.assert(
      fc.property(anyHash, fc.constantFrom(...laws), (hash, law) => {
        assert.equal(formatHash(law.reduce(apply, hash)), formatHash(hash), law.join(', '))
      }),
    )
  })

  t.test(`${kind}: the eight orientations differ, and the first is a copy of the hash`, async () => {
    fc.assert(
      fc.property(anyHash, (hash) => {
        const [original] = dihedrals(hash)
        assert.deepEqual(original, hash)
        assert.notEqual(original, hash, 'a copy')
      }),
    )
    const hash = hashFromBytes(Uint8Array.from({ length: 32 }, (_, k) => (k * 37) % 251))
    assert.equal(new Set(dihedrals(hash).map(formatHash)).size, 8)
  })
}

t.test('a hash rotated by its bits is near the hash of the rotated picture', async (t) => {
  const kernel = loadPdqKernelSync()
  const distances = Array.from({ length: 12 }, (_, seed) => {
    const picture = drawn(seed, 160, 120)
    const byBits = dihedralsOf(kernel.hash(picture).hash)
    return transforms.map((orientation, k) => {
      const rotated = byBits[k]
      return rotated === undefined ? 256 : distance(rotated, kernel.hash(rotatedPixels(picture, orientation)).hash)
    })
  }).flat()

  const sorted = distances.toSorted((a, b) => a - b)
  t.ok((sorted[Math.floor(sorted.length / 2)] ?? 256) <= 22, 'half of them within 22 bits')
  t.ok((sorted.at(-1) ?? 256) <= 60, 'all of them nearer than any two unrelated pictures')
})

t.test('the dihedral hashes of the kernel are nearer still', async (t) => {
  const kernel = loadPdqKernelSync()
  // Windows of three pixels are centred; an even window is not, which alone would cost 20 bits at this size.
  const distances = Array.from({ length: 6 }, (_, seed) => {
    const picture = drawn(100 + seed, 352, 272)
    return kernel.hash(picture).dihedrals.map((dihedral, k) => {
      const orientation = transforms[k]
      return orientation === undefined ? 256 : distance(dihedral, kernel.hash(rotatedPixels(picture, orientation)).hash)
    })
  }).flat()

  t.ok(Math.max(...distances) <= 10, `at most ${Math.max(...distances)} bits`)
})
