import { linkSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import {
  type PartWriter,
  type WriteOptions,
  writeFully,
  writeWholeFile,
  writeWholeFileSync,
} from '../../packages/core/src/node/write-file.js'
import { makeOnce, openRecordFile, overwrite } from '../../src/files/record-file.js'
import { SMALL_DISK, smallDisk } from '../helpers/small-disk.js'

const KB = 1024
const block = (byte: number, bytes = 4 * KB) => Buffer.alloc(bytes, byte)

const ways = {
  'in turns': writeWholeFile,
  'at once': async (path: string, pieces: Iterable<Uint8Array | string>, options?: WriteOptions) =>
    writeWholeFileSync(path, pieces, options),
}

t.test('a partial write is continued with the remaining bytes', async (t) => {
  const to = Buffer.alloc(10)
  const calls: (number | null)[] = []
  const handle = (most: number): PartWriter => ({
    async write(bytes, from, length, at) {
      calls.push(at)
      const bytesWritten = Math.min(most, length)
      to.set(bytes.subarray(from, from + bytesWritten), at ?? from)
      return { bytesWritten }
    },
  })
  await writeFully(handle(3), Buffer.from('0123456789'))
  t.equal(to.toString(), '0123456789')
  t.same(calls, [null, null, null, null])
  calls.length = 0
  await writeFully(handle(4), Buffer.from('abcdef'), 2)
  t.equal(to.toString(), '01abcdef89')
  t.same(calls, [2, 6])
  await t.rejects(writeFully(handle(0), Buffer.from('x')), /wrote no bytes/, 'no endless loop')
})

for (const [name, write] of Object.entries(ways)) {
  t.test(`a file is replaced as a whole, ${name}`, async (t) => {
    const path = join(t.testdir(), 'file')
    await write(path, ['first'])
    linkSync(path, `${path}.kept`)
    await write(path, ['sec', Buffer.from('ond'), ''])
    t.equal(readFileSync(path, 'utf8'), 'second')
    t.equal(readFileSync(`${path}.kept`, 'utf8'), 'first', 'the old file is unchanged for readers that have it open')
    t.equal(statSync(path).mode & 0o777, 0o600)
    t.same(readdirSync(dirname(path)).sort(), ['file', 'file.kept'])
    await write(path, [])
    t.equal(statSync(path).size, 0)
  })

  t.test(`if the new content fails the old file stays, ${name}`, async (t) => {
    const path = join(t.testdir(), 'file')
    await write(path, ['old'])
    function* failing() {
      yield 'new'
      throw new Error('no more')
    }
    await t.rejects(write(path, failing()), /no more/)
    t.equal(readFileSync(path, 'utf8'), 'old')
    t.same(readdirSync(dirname(path)), ['file'])
  })

  t.test(`a file that must be new replaces none, and a lock file excludes other writers, ${name}`, async (t) => {
    const path = join(t.testdir(), 'file')
    await write(path, ['old'], { isNew: true })
    await t.rejects(write(path, ['new'], { isNew: true }), { code: 'EEXIST' })
    writeFileSync(`${path}.lock`, 'of another')
    await t.rejects(write(path, ['new'], { beside: `${path}.lock` }), { code: 'EEXIST' })
    t.equal(readFileSync(path, 'utf8'), 'old')
    t.equal(readFileSync(`${path}.lock`, 'utf8'), 'of another')
    t.same(readdirSync(dirname(path)).sort(), ['file', 'file.lock'])
  })

  t.test(`on a full disk the old file stays and no temporary file is left, ${name}`, SMALL_DISK, async (t) => {
    const disk = smallDisk(t)
    const path = join(disk.path, 'file')
    await write(path, [block(1)])
    for (const freeBlocks of [0, 1, 2]) {
      disk.empty()
      disk.fill(freeBlocks)
      await t.rejects(write(path, [block(2), block(3), block(4)]), { code: 'ENOSPC' }, `${freeBlocks} blocks are free`)
      await t.rejects(write(path, [block(2, 12 * KB)]), { code: 'ENOSPC' }, 'one piece that fits only in part')
      t.ok(readFileSync(path).equals(block(1)))
      t.same(readdirSync(disk.path).sort(), ['file', 'filler'])
    }
    disk.empty()
    await write(path, [block(2, 12 * KB)])
    t.ok(readFileSync(path).equals(block(2, 12 * KB)))
  })
}

t.test('files left by killed writers are removed after ten minutes', async (t) => {
  const path = join(t.testdir(), 'file')
  const left = [`${path}.0a.new`, `${path}.0b.new`, `${path}2.0c.new`]
  for (const each of left) writeFileSync(each, 'half')
  const longAgo = new Date(Date.now() - 3_600_000)
  for (const each of [left[0], left[2]]) utimesSync(each ?? '', longAgo, longAgo)
  await writeWholeFile(path, ['whole'])
  t.same(readdirSync(dirname(path)).sort(), ['file', ...left.slice(1).map((each) => basename(each))].sort())
})

async function recordFile(t: Test, path: string) {
  const file = await openRecordFile(path)
  t.teardown(() => file.close())
  return file
}

t.test('records of two writers are appended in order, and a replaced file is noticed', async (t) => {
  const path = join(t.testdir(), 'log')
  const [one, two] = [await recordFile(t, path), await recordFile(t, path)]
  for (const [file, text] of [
    [one, 'a\n'],
    [two, 'b\n'],
    [one, 'c\n'],
  ] as const)
    t.ok(await file.append(text))
  t.equal(readFileSync(path, 'utf8'), 'a\nb\nc\n')
  t.equal(statSync(path).mode & 0o777, 0o600)
  await writeWholeFile(path, ['another file'])
  t.notOk(await one.append('d\n'))
  t.equal(readFileSync(path, 'utf8'), 'another file')
})

t.test('an existing file can be overwritten on a full disk, where nothing can be appended', SMALL_DISK, async (t) => {
  const disk = smallDisk(t)
  const [path, log] = [join(disk.path, 'status'), join(disk.path, 'log')]
  await makeOnce(path, 'good\n')
  await makeOnce(path, 'else\n')
  t.equal(readFileSync(path, 'utf8'), 'good\n', 'not created again')
  const file = await recordFile(t, log)
  disk.fill()
  await t.rejects(file.append('x\n'), { code: 'ENOSPC' })
  await overwrite(path, 'poor\n')
  t.equal(readFileSync(path, 'utf8'), 'poor\n')
  await t.rejects(overwrite(join(disk.path, 'other'), 'x'), { code: 'ENOENT' })
})
