import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import {
  DECODED_FORMATS,
  decodedFormats,
  FORMAT_BYTES,
  formatOf,
  isDecoded,
  leaveUnread,
  MEDIA_FORMATS,
  type UnreadKind,
  unreadKindOf,
  unreadWith,
} from '../../src/domain/media/media-formats.js'
import { PROBLEMS } from '../../src/http/problem-table.js'
import { decode } from '../../workers/media/decode.js'
import { heic } from '../helpers/heic.js'
import { formats, scene } from '../helpers/pictures.js'

const root = resolve(import.meta.dirname, '../../..')
const textOf = (file: string) => readFileSync(join(root, file), 'utf8')

t.test('the readable formats are those that workers decode', async (t) => {
  for (const format of formats) {
    const { bytes } = await scene(1, { format, width: 160, height: 120 })
    const found = formatOf(bytes.subarray(0, FORMAT_BYTES))
    t.equal(found, format)
    t.ok(isDecoded(found), format)
    t.equal((await decode(bytes)).width, 160, format)
    t.ok(DECODED_FORMATS.includes(MEDIA_FORMATS[format].name), format)
  }
  t.equal(formatOf(Buffer.from('a shopping list')), undefined)
  t.notOk(isDecoded(undefined))
})

t.test('each format is detected by its first bytes, and of two that fit the first wins', async (t) => {
  const known = [
    ['474946383961', 'gif'],
    ['47494638396100005745425000', 'gif'],
    ['5249464600000000574542505650', 'webp'],
    ['49492a000000000057454250', 'webp'],
    ['4d4d002b00080000', 'tiff'],
    ['00000018667479706d6966310000000061766966', 'avif'],
    ['00000014667479706d6966310000000068656963', 'heif'],
    ['000000106674797061766966', 'avif'],
    ['00000010667479706d69663361766966', 'avif'],
    ['00000010667479706d69663300000000', 'avif'],
    ['00000010667479706d69663368656963', 'heif'],
    ['000000146674797061626364000000006d696633', 'heif'],
    ['0000000c66747970', undefined],
    ['0000001c667479706d703432000000006d703432', undefined],
    ['000000106674797068656963', 'heif'],
    ['00000014667479706865766d0000000068657663', 'heif'],
    ['0000000c4a584c200d0a870a', 'jxl'],
    ['ffd8', undefined],
  ] as const
  for (const [hex, format] of known) t.equal(formatOf(Buffer.from(hex, 'hex')), format, hex)
})

t.test('other kinds of files that people choose are detected by their first bytes', async (t) => {
  const known: readonly (readonly [string, UnreadKind | undefined])[] = [
    ['0000001c667479706d703432000000006d703432', 'video'],
    ['00000014667479707174202000000000', 'video'],
    ['000000106674797033677034', 'video'],
    ['000000086d6f6f7600000000', 'video'],
    ['1a45dfa39f4286810142f7810142f281', 'video'],
    ['524946460000000041564920', 'video'],
    ['4740001000', 'video'],
    ['4740111000', 'video'],
    ['0000000047401110', 'video'],
    ['000000186674797063727820', 'picture'],
    ['0000000c6a5020200d0a870a', 'picture'],
    ['384250530001', 'picture'],
    ['00000100010010100000010020006804', 'picture'], // favicon
    ['50360a3634', 'picture'], // PPM
    ['1f8b0800', 'drawing'],
    ['3c73766720', 'drawing'],
    ['255044462d', 'document'],
    ['504b0304', 'document'],
    ['00000020667479704d344120', undefined], // sound
    ['61207368', undefined],
    ['', undefined],
  ]
  for (const [hex, kind] of known) {
    const head = Buffer.from(hex, 'hex')
    t.equal(formatOf(head), undefined, hex)
    t.equal(unreadKindOf(head), kind, hex)
  }
})

t.test('messages, documents and openapi.yaml name the same formats', async (t) => {
  const detail = PROBLEMS['media-unsupported'].detail ?? ''
  for (const text of [detail, textOf('README.md'), textOf('openapi.yaml')]) t.ok(text.includes(DECODED_FORMATS))
})

t.test('a disabled format is neither read nor named', async (t) => {
  const file = heic('tiles')
  t.equal((await decode(file)).width, 640)
  leaveUnread(unreadWith({ heic: 'off' }))
  t.teardown(() => leaveUnread([]))
  t.notOk(isDecoded('heif'))
  t.notMatch(decodedFormats(), /HEIC/)
  t.notMatch(PROBLEMS['media-unsupported'].detail ?? '', /HEIC/)
  await t.rejects(decode(file), { code: 'media-unsupported' })
  leaveUnread(unreadWith({ heic: 'on' }))
  t.match(PROBLEMS['media-unsupported'].detail ?? '', /HEIC/)
})
