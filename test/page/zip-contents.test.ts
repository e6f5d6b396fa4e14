// ZIP files as they are read on the device: honest ones whole, and no other takes memory, time or the page with it.

import t from 'tap'
import { firstBytes, type PackedFile, unpacked } from '../../page/unpacking/packed-file.js'
import { type ZipContents, zipContents } from '../../page/unpacking/zip-contents.js'
import { randomFrom } from '../helpers/pictures.js'
import { type ZippedFile, zipOf } from '../helpers/zip-files.js'

const JPEG = Buffer.concat([Buffer.from('ffd8ffe000104a464946', 'hex'), Buffer.alloc(5000, 'picture')])
const picture = (path: string, more: Partial<ZippedFile> = {}): ZippedFile => ({ path, content: JPEG, ...more })
const text = (path: string): ZippedFile => ({ path, content: Buffer.from('words') })

async function opened(zip: Buffer): Promise<ZipContents> {
  const contents = await zipContents(blobOf(zip))
  if (contents === undefined || contents === 'broken') throw new Error('a ZIP file that can be read')
  return contents
}

async function bytesOf(file: PackedFile | undefined): Promise<Buffer> {
  if (file === undefined) throw new Error('no file')
  return Buffer.from(await (await unpacked(file)).arrayBuffer())
}

const blobOf = (bytes: Buffer) => new Blob([new Uint8Array(bytes)])
const namesOf = ({ files }: ZipContents) => files.map(({ name }) => name)
const isRefused = (file: PackedFile | undefined) =>
  bytesOf(file).then(
    () => false,
    () => true,
  )

t.test('pictures and videos are found and unpacked as they were, and the rest is counted', async (t) => {
  const contents = await opened(
    zipOf(
      [
        picture('chat/one.jpg'),
        picture('chat/two.JPEG', { isStored: true }),
        picture('three.heic', { hasDescriptor: true }),
        picture('four.mp4', { isLarge: true }),
        picture('without an ending'),
        picture('PXL_1.MP'),
        ...['chat.txt', 'info.json', 'more.zip', 'unknown.ending'].map(text),
        ...['__MACOSX/._one.jpg', '.thumbnails/one.jpg', 'chat/.hidden.jpg'].map((path) => picture(path)),
        { path: 'chat/', content: Buffer.alloc(0) },
        ...[{ isLocked: true }, { method: 99 }, { method: 14 }].map((more) => picture('locked.jpg', more)),
        { ...text('locked.txt'), isLocked: true },
      ],
      { comment: 'PK\x05\x06 in a comment' },
    ),
  )
  t.same(namesOf(contents), ['one.jpg', 'two.JPEG', 'three.heic', 'four.mp4', 'without an ending', 'PXL_1.MP'])
  t.match(contents, { lockedCount: 3, otherCount: 8 })
  for (const file of contents.files) {
    t.ok(JPEG.equals(await bytesOf(file)), file.name)
    t.same(Buffer.from(await firstBytes(file, 20)), JPEG.subarray(0, 20))
    t.equal((await firstBytes(file, 1e6)).length, JPEG.length)
  }
})

t.test('names are shown without their folder, short, and cannot turn the text around them', async (t) => {
  const contents = await opened(
    zipOf([
      picture('a\\b/Schöne Grüße.jpg'),
      picture('old.jpg', { encodedPath: Buffer.from('Sch\xf6n.jpg', 'latin1') }),
      picture('old.jpg', { encodedPath: Buffer.from('照片.jpg') }),
      picture('\u202egpj.exe\u2066\0\n.jpg'),
      picture(`${'n'.repeat(3000)}.jpg`),
    ]),
  )
  t.same(namesOf(contents).slice(0, 4), ['Schöne Grüße.jpg', 'Schön.jpg', '照片.jpg', 'gpj.exe.jpg'])
  t.match(namesOf(contents)[4], /^n{40}…n{16}\.jpg$/)
})

t.test('a large archive is read in slices: its directory, and the file whose turn it is', async (t) => {
  const zip = zipOf([picture('one.jpg', { isLarge: true }), picture('two.jpg', { isStored: true, isLarge: true })], {
    isLarge: true,
  })
  t.same(namesOf(await opened(zip)), ['one.jpg', 'two.jpg'])
  const [read, file] = withGap(zip, 6 * 2 ** 30)
  const contents = await zipContents(file)
  if (contents === undefined || contents === 'broken') throw new Error('it can be read')
  t.ok(JPEG.equals(await bytesOf(contents.files[1])), 'beyond 6 GB')
  t.ok(read() < 200_000, `${read()} bytes were read`)
})

/** @returns how many bytes were read, and the archive behind 6 GB that are never read. */
function withGap(zip: Buffer, gap: number): [read: () => number, file: Blob] {
  const moved = Buffer.from(zip)
  const directoryAt = Number(moved.readBigUInt64LE(moved.length - 22 - 20 - 56 + 48))
  const move = (at: number) => moved.writeBigUInt64LE(moved.readBigUInt64LE(at) + BigInt(gap), at)
  for (const at of [moved.length - 22 - 20 - 56 + 48, moved.length - 22 - 20 + 8]) move(at)
  for (let at = moved.indexOf('PK\x01\x02', directoryAt); at >= 0; at = moved.indexOf('PK\x01\x02', at + 1))
    move(at + 46 + moved.readUInt16LE(at + 28) + 5 + 4 + 16)
  let read = 0
  const slice = (from = 0, to = gap + moved.length) => {
    const zeros = Buffer.alloc(Math.max(0, Math.min(gap, to) - from))
    const content =
      from < 4
        ? zip.subarray(from, to)
        : Buffer.concat([zeros, moved.subarray(Math.max(0, from - gap), Math.max(0, to - gap))])
    read += content.length
    return blobOf(content)
  }
  return [() => read, Object.defineProperties(new Blob(), { slice: { value: slice }, size: { value: gap + moved.length } })]
}

t.test('a bomb is not unpacked', async (t) => {
  const zeros = Buffer.alloc(40_000_000)
  const { files, lockedCount } = await opened(
    zipOf([
      { path: 'longer.jpg', content: zeros, declaredSize: 1000 },
      { path: 'shorter.jpg', content: JPEG, declaredSize: JPEG.length + 1 },
      { path: 'kept.jpg', content: JPEG, isStored: true, declaredSize: JPEG.length - 1 },
      { path: 'impossible.jpg', content: JPEG, declaredSize: 4e9 },
    ]),
  )
  t.equal(lockedCount, 1, 'deflating makes nothing so small')
  for (const file of files) t.ok(await isRefused(file), file.name)
  t.equal(
    await zipContents(blobOf(zipOf([picture('one.jpg'), picture('two.jpg', { sharesBytes: true })]))),
    'broken',
    'files that share bytes',
  )
})

t.test('what is no ZIP file, or is broken, is told apart', async (t) => {
  const zip = zipOf([picture('one.jpg')])
  const of = (bytes: Buffer) => zipContents(blobOf(bytes))
  t.equal(await of(JPEG), undefined)
  t.equal(await of(Buffer.alloc(0)), undefined)
  for (const cut of [5, 30, zip.length - 30, zip.length - 1]) t.equal(await of(zip.subarray(0, cut)), 'broken', `${cut}`)
  const pointing = Buffer.from(zip)
  pointing.writeUInt32LE(zip.length, zip.length - 6)
  t.equal(await of(pointing), 'broken', 'a directory beyond the end')
  const moved = Buffer.from(zip)
  moved.write('none', 0)
  moved.write('PK\x03\x04', 0, 'latin1')
  moved.writeUInt32LE(7, zip.indexOf('PK\x01\x02') + 42)
  t.same(await Promise.all((await opened(moved)).files.map(isRefused)), [true], 'no file where the directory says')
  const gone = blobOf(zip)
  const { files } = await opened(zip)
  Object.defineProperty(gone, 'slice', { value: () => ({ arrayBuffer: () => Promise.reject(new Error('deleted')) }) })
  t.equal(await zipContents(gone), undefined, 'deleted')
  t.ok(await isRefused(files[0] && { ...files[0], archive: gone }))
})

t.test('broken archives end in an answer, whatever byte is broken', async (t) => {
  const random = randomFrom(46)
  const whole = zipOf(
    [picture('a.jpg'), picture('b.png', { isStored: true }), text('c'), picture('d.mp4', { isLarge: true })],
    {
      isLarge: true,
    },
  )
  const headers = Array.from(whole.keys()).filter((at) => at < 60 || at > whole.length - 500)
  for (let round = 0; round < 400; round++) {
    const broken = Buffer.from(whole)
    for (let k = 0; k < 3; k++) {
      const at = headers[Math.floor(random() * headers.length)] ?? 0
      broken[at] = [0, 0xff, 0x7f, Math.floor(random() * 256)][Math.floor(random() * 4)] ?? 0
    }
    const contents = await zipContents(blobOf(broken.subarray(0, random() < 0.2 ? random() * broken.length : undefined)))
    if (contents === undefined || contents === 'broken') continue
    t.ok(contents.files.length + contents.lockedCount + contents.otherCount <= 4)
    for (const file of contents.files) {
      const content = await bytesOf(file).catch(() => undefined)
      t.ok(content === undefined || content.length === file.size)
    }
  }
})
