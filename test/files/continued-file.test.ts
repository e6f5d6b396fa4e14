import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { t } from 'tap'
import { continueFile } from '../../src/files/continued-file.js'

const folder = mkdtempSync(join(tmpdir(), 'tabir-continued-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

async function written(path: string, pieces: readonly Uint8Array[]): Promise<number> {
  const file = await continueFile(path)
  for (const piece of pieces) await file.write(piece)
  await file.end()
  await file.close()
  return file.keptBytes
}

t.test('a continued file ends with the given bytes, whatever was there before', async () => {
  const path = join(folder, 'any')
  const bytes = fc.uint8Array({ maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { maxLength: 8 }), fc.nat(400), fc.option(fc.nat(400)), bytes, async (...args) => {
      const [pieces, keptTo, changedAt, behind] = args
      const whole = Buffer.concat(pieces)
      const before = Buffer.concat([whole.subarray(0, keptTo), behind])
      if (changedAt !== null && changedAt < before.length) before[changedAt] = (before[changedAt] ?? 0) ^ 1
      writeFileSync(path, before)
      await written(path, pieces)
      if (!readFileSync(path).equals(whole)) throw new Error('it is something else')
    }),
  )
})

t.test('equal leading pieces are kept, and the rest is written again', async (t) => {
  const pieces = Array.from({ length: 10 }, (_, i) => Buffer.alloc(100, i))
  const whole = Buffer.concat(pieces)
  const path = join(folder, 'kept')
  t.equal(await written(path, pieces), 0, 'the file is new')
  t.equal(await written(path, pieces), 1000)
  writeFileSync(path, whole.subarray(0, 550))
  t.equal(await written(path, pieces), 500, 'a partial piece is written again')
  const changed = Buffer.from(whole)
  changed[250] = 99
  writeFileSync(path, changed)
  t.equal(await written(path, pieces), 200)
  t.ok(readFileSync(path).equals(whole))
})

t.test('a file that was closed early has the pieces written so far', async (t) => {
  const path = join(folder, 'given up')
  const file = await continueFile(path)
  await file.write(Buffer.alloc(100, 1))
  await file.close()
  t.equal(await written(path, [Buffer.alloc(100, 1), Buffer.alloc(5, 2)]), 100)
})
