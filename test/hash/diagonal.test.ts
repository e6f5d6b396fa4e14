import t from 'tap'
import { diagonalBits } from '../../packages/hash/src/diagonal.js'
import { dihedralsOf } from '../../packages/hash/src/dihedral.js'
import { loadPdqKernelSync } from '../../packages/hash/src/pdq-kernel.js'
import type { Pixels } from '../../packages/hash/src/pixels.js'
import { hashNamed, symmetricOf } from '../helpers/hashes.js'
import { drawn } from './synthetic.js'

const SIDE_PX = 256

/** A drawing where each pixel is the mean of itself and those that `also` maps it to. */
function alike(seed: number, also: (x: number, y: number) => readonly [x: number, y: number]): Pixels {
  const { data, ...size } = drawn(seed, SIDE_PX, SIDE_PX)
  const at = (x: number, y: number, c: number) => data[3 * (y * SIDE_PX + x) + c] ?? 0
  const to = data.map((_, k) => {
    const [x, y] = [Math.floor(k / 3) % SIDE_PX, Math.floor(k / 3 / SIDE_PX)]
    return (at(x, y, k % 3) + at(...also(x, y), k % 3)) >> 1
  })
  return { ...size, data: to }
}

t.test('a picture that is symmetric about a diagonal is told from asymmetric and mirror-symmetric ones', async (t) => {
  const kernel = loadPdqKernelSync()
  const last = SIDE_PX - 1
  const bitsOf = (picture: Pixels) => diagonalBits(kernel.hash(picture).hash)

  for (let seed = 0; seed < 8; seed++) {
    t.ok(bitsOf(alike(seed, (x, y) => [y, x])) <= 40, `${seed}: ${bitsOf(alike(seed, (x, y) => [y, x]))}`)
    t.ok(bitsOf(alike(seed, (x, y) => [last - y, last - x])) <= 60, `${seed}, the other diagonal`)
    t.ok(bitsOf(alike(seed, (x, y) => [x, y])) > 80, `${seed} unchanged`)
    t.ok(bitsOf(alike(seed, (x, y) => [last - x, y])) > 80, `${seed} mirrored`)
  }
})

t.test('diagonalBits is 0 for a symmetric hash, and the same in every orientation', async (t) => {
  const hash = hashNamed('any')
  const symmetric = symmetricOf(hash)

  t.equal(diagonalBits(symmetric), 0)
  for (const rotated of dihedralsOf(symmetric)) t.equal(diagonalBits(rotated), 0)
  for (const rotated of dihedralsOf(hash)) t.equal(diagonalBits(rotated), diagonalBits(hash))
  t.ok(diagonalBits(hash) > 90)
})
