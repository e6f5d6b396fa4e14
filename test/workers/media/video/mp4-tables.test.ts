// Tables of MP4 that declare more than a file can hold.

import t from 'tap'
import { areTablesSmall, MAX_TABLE_ENTRIES } from '../../../../workers/media/video/mp4-tables.js'

function box(name: string, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  return Buffer.concat([words(8 + body.length), Buffer.from(name, 'latin1'), body])
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index)
  return bytes
}

const table = (name: string, ...values: readonly number[]) => box(name, words(0, ...values))
const fileWith = (...tables: readonly Buffer[]) => box('moov', box('trak', box('mdia', box('minf', box('stbl', ...tables)))))

const TIMES = table('stts', 1, 4, 512)
const OFFSETS = table('ctts', 1, 4, 0)
const CHUNKS = table('stsc', 1, 1, 4, 1)
const SIZES = table('stsz', 0, 4, 10, 20, 30, 40)
const MANY = 0xffff_fff0

t.test('tables of a valid file are accepted', async (t) => {
  t.ok(areTablesSmall(fileWith(TIMES, OFFSETS, CHUNKS, SIZES)))
  t.ok(areTablesSmall(Buffer.alloc(0)))
  t.ok(
    areTablesSmall(fileWith(table('stts', 1, MANY, 1), table('stsc', 1, 1, MANY, 1), table('stsz', 2, MANY))),
    'sound without end',
  )
})

t.test('tables that declare more entries than they have are refused', async (t) => {
  const files = {
    times: fileWith(table('stts', 1, MANY, 1), OFFSETS, CHUNKS, SIZES),
    'times in many runs': fileWith(
      table('stts', 2, MAX_TABLE_ENTRIES / 2, 1, MAX_TABLE_ENTRIES / 2, 1),
      OFFSETS,
      CHUNKS,
      SIZES,
    ),
    offsets: fileWith(TIMES, table('ctts', 1, MANY, 0), CHUNKS, SIZES),
    'samples of a chunk': fileWith(TIMES, OFFSETS, table('stsc', 1, 1, MANY, 1), SIZES),
    'samples of a chunk without sizes': fileWith(TIMES, OFFSETS, CHUNKS),
    sizes: fileWith(TIMES, OFFSETS, CHUNKS, table('stsz', 0, MANY)),
    places: fileWith(TIMES, OFFSETS, CHUNKS, SIZES, table('stco', MANY)),
    'a run of a fragment': Buffer.concat([fileWith(), box('moof', box('traf', table('trun', MANY)))]),
    'boxes in boxes': Array.from({ length: 100 }).reduce<Buffer>((inner) => box('mdia', inner), Buffer.alloc(0)),
  }
  for (const [what, file] of Object.entries(files)) t.notOk(areTablesSmall(file), what)
})

t.test('an invalid box ends the search, as it ends a parser', async (t) => {
  t.ok(areTablesSmall(Buffer.concat([words(3), Buffer.from('moov')])))
  t.ok(areTablesSmall(Buffer.concat([words(1), Buffer.from('moov')])), 'a long length that is cut off')
})
