import t from 'tap'
import { distance, formatHash } from '../../packages/hash/src/hash256.js'
import { DCT_COLUMNS, DCT_ROWS, dctMatrix, type PdqResult, pdq } from '../../packages/hash/src/pdq.js'
import { loadPdqKernel, loadPdqKernelSync } from '../../packages/hash/src/pdq-kernel.js'
import { transforms } from '../../packages/hash/src/transforms.js'
import { drawn, rotatedPixels } from './synthetic.js'
import { vectors } from './vectors.js'

const written = ({ hash, quality, dihedrals }: PdqResult) => ({
  hash: formatHash(hash),
  quality,
  dihedral: dihedrals.map(formatHash),
})

t.test('oracle and kernel give the reference’s hash, quality and eight dihedral hashes exactly', async (t) => {
  const orientations = { oracle: pdq, kernel: (await loadPdqKernel()).hash, 'kernel of a worker': loadPdqKernelSync().hash }

  t.equal(vectors.length, 16)
  for (const [orientation, hash] of Object.entries(orientations)) {
    for (const { name, picture, quality, dihedral, ...answer } of vectors) {
      t.same(written(hash(picture)), { hash: answer.hash, quality, dihedral }, `${name} by the ${orientation}`)
    }
  }
})

t.test('the names of the transforms follow the order of the reference', async (t) => {
  const picture = drawn(1, 96, 80)

  t.same(
    transforms.map(({ name }) => name),
    ['original', 'rotate90', 'rotate180', 'rotate270', 'flipX', 'flipY', 'flipPlus1', 'flipMinus1'],
  )
  for (const [k, orientation] of transforms.entries()) {
    const really = pdq(rotatedPixels(picture, orientation)).hash
    const nearest = pdq(picture).dihedrals.reduce((best, hash, i, all) => {
      const champion = all[best]
      return champion !== undefined && distance(champion, really) <= distance(hash, really) ? best : i
    }, 0)
    t.equal(nearest, k, `${orientation.name}: the rotated picture is nearest to that dihedral hash`)
  }
})

t.test('the DCT matrix does not depend on how an engine rounds a cosine', async (t) => {
  const matrix = dctMatrix()
  const scale = Math.fround(Math.sqrt(2 / DCT_COLUMNS))

  const margins = Array.from(matrix, (rounded, k) => {
    const frequency = Math.floor(k / DCT_COLUMNS) + 1
    const exact = scale * Math.cos((Math.PI / 2 / DCT_COLUMNS) * frequency * (2 * (k % DCT_COLUMNS) + 1))
    const unit = 2 ** (Math.floor(Math.log2(Math.abs(exact))) - 23)
    return 0.5 - Math.abs(rounded - exact) / unit
  })

  // A double has 2^29 times the resolution of a float32: a margin of 1e-6 leaves room for hundreds of its last places.
  t.equal(matrix.length, DCT_ROWS * DCT_COLUMNS)
  t.ok(Math.min(...margins) > 1e-6, 'every entry is clear of the midpoint between two float32 values')
})

t.test('oracle and kernel refuse sizes that do not fit the data', async (t) => {
  const data = new Uint8Array(300)
  for (const hash of [pdq, loadPdqKernelSync().hash]) {
    t.throws(() => hash({ data, width: 10, height: 11, channels: 3 }), RangeError)
    t.throws(() => hash({ data, width: 0, height: 10, channels: 3 }), RangeError)
    t.throws(() => hash({ data, width: 10.5, height: 10, channels: 3 }), RangeError)
    t.throws(() => hash({ data: new Uint8Array(70_000), width: 70_000, height: 1, channels: 1 }), RangeError)
  }
})
