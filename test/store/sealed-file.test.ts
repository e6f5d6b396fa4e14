import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeKeyring, SealError } from '../../src/store/sealing/seal.js'
import { readSealedFile, writeSealedFile } from '../../src/store/sealing/sealed-file.js'

const keyring = makeKeyring([Buffer.alloc(32, 1)])
const context = Buffer.from('this deployment')

function pathIn(t: Test): string {
  return join(t.testdir(), 'sub', 'file')
}

async function piecesOf(path: string, ring = keyring, of: Buffer = context): Promise<Buffer[]> {
  const pieces: Buffer[] = []
  for await (const piece of readSealedFile(path, ring, of)) pieces.push(piece)
  return pieces
}

t.test('a sealed file is read back piece by piece', async (t) => {
  const path = pathIn(t)
  for (const sizes of [[0], [1], [0, 5, 0], [100_000, 3, 2_000_000]]) {
    const pieces = sizes.map((size) => randomBytes(size))
    await writeSealedFile(path, keyring, context, pieces)
    t.same(await piecesOf(path), pieces)
  }
  await writeSealedFile(path, keyring, context, [])
  t.same(await piecesOf(path), [Buffer.alloc(0)], 'a file without pieces reads as one empty piece')
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.same(readdirSync(join(path, '..')), ['file'], 'no temporary file is left')
})

t.test('a sealed file does not contain its plaintext', async (t) => {
  const path = pathIn(t)
  await writeSealedFile(path, keyring, context, [Buffer.from('a needle that must not be found')])
  t.notOk(readFileSync(path).includes('needle'))
})

t.test('a missing sealed file has no pieces', async (t) => {
  t.same(await piecesOf(pathIn(t)), [])
})

t.test('a change of any byte of a sealed file is detected', async (t) => {
  const path = pathIn(t)
  await writeSealedFile(path, keyring, context, [Buffer.from('one'), Buffer.from('two')])
  const whole = readFileSync(path)
  for (let at = 0; at < whole.length; at++) {
    const changed = Buffer.from(whole)
    changed[at] = (changed[at] ?? 0) ^ 1
    writeFileSync(path, changed)
    await t.rejects(piecesOf(path), SealError, `byte ${at}`)
  }
})

t.test('a truncation of a sealed file at any byte is detected', async (t) => {
  const path = pathIn(t)
  await writeSealedFile(path, keyring, context, [Buffer.from('one'), Buffer.from('two')])
  const whole = readFileSync(path)
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length))
    await t.rejects(piecesOf(path), SealError, `${length} bytes`)
  }
})

t.test('pieces of a sealed file in another file, order or context, or under another key, do not open', async (t) => {
  const path = pathIn(t)
  const piece = Buffer.from('four')
  const HEAD = 24
  await writeSealedFile(path, keyring, context, [piece, piece, piece])
  const one = readFileSync(path)
  await writeSealedFile(path, keyring, context, [piece, piece, piece])
  const two = readFileSync(path)
  const pieceBytes = (one.length - HEAD) / 3
  const nth = (file: Buffer, n: number) => file.subarray(HEAD + n * pieceBytes, HEAD + (n + 1) * pieceBytes)

  for (const pieces of [
    [nth(one, 1), nth(one, 0), nth(one, 2)],
    [nth(one, 0), nth(one, 2)],
    [nth(one, 0), nth(two, 1), nth(one, 2)],
  ]) {
    writeFileSync(path, Buffer.concat([one.subarray(0, HEAD), ...pieces]))
    await t.rejects(piecesOf(path), SealError)
  }
  writeFileSync(path, one)
  await t.rejects(piecesOf(path, keyring, Buffer.from('another deployment')), SealError)
  await t.rejects(piecesOf(path, makeKeyring([Buffer.alloc(32, 2)])), SealError)
  t.equal(
    (await piecesOf(path, makeKeyring([Buffer.alloc(32, 2), Buffer.alloc(32, 1)]))).length,
    3,
    'an older key of the ring',
  )
})

t.test('if writing a sealed file fails the old file stays and no temporary file is left', async (t) => {
  const path = pathIn(t)
  await writeSealedFile(path, keyring, context, [Buffer.from('old')])
  function* failing() {
    yield Buffer.from('new')
    yield Buffer.from('new')
    throw new Error('no more')
  }
  await t.rejects(writeSealedFile(path, keyring, context, failing()), /no more/)
  t.same(await piecesOf(path), [Buffer.from('old')])
  t.same(readdirSync(join(path, '..')), ['file'])
})

t.test('the next writer removes the leftover of a killed one, and not that of a running one', async (t) => {
  const path = pathIn(t)
  await writeSealedFile(path, keyring, context, [Buffer.from('old')])
  const [abandoned, underWay] = [`${path}.aa.new`, `${path}.bb.new`]
  for (const left of [abandoned, underWay]) writeFileSync(left, 'half')
  const anHourAgo = new Date(Date.now() - 3_600_000)
  utimesSync(abandoned, anHourAgo, anHourAgo)
  await writeSealedFile(path, keyring, context, [Buffer.from('new')])
  t.same(readdirSync(join(path, '..')), ['file', 'file.bb.new'])
})
