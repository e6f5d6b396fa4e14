import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { DECODED_FORMATS, FORMAT_BYTES, formatOf, isDecoded } from '../../src/domain/matching/picture-formats.js'
import { Problem } from '../../src/domain/problem.js'
import { PROBLEMS } from '../../src/http/problem-table.js'
import { decode } from '../../workers/media/decode.js'
import { scene } from '../helpers/pictures.js'

/** The first bytes of what workers do not read, as such files begin. */
const NOT_DECODED = {
  heif: '0000001866747970686569630000000068656963',
  bmp: '424d36000300000000003600000028000000',
  jxl: 'ff0a0000000000000000000000000000',
} as const

t.test('what is called readable is what workers decode', async (t) => {
  for (const format of ['jpeg', 'png', 'webp', 'gif', 'avif', 'tiff'] as const) {
    const { bytes } = await scene(1, { format, width: 160, height: 120 })
    const found = formatOf(bytes.subarray(0, FORMAT_BYTES))
    t.equal(found, format)
    t.ok(isDecoded(found), format)
    t.equal((await decode(bytes)).width, 160, format)
    t.match(DECODED_FORMATS.toLowerCase(), format)
  }
  for (const [format, hex] of Object.entries(NOT_DECODED)) {
    const bytes = Buffer.from(hex, 'hex')
    const found = formatOf(bytes)
    t.equal(found, format)
    t.notOk(isDecoded(found), format)
    const refusal = await decode(bytes).catch((error: unknown) => error)
    t.equal(refusal instanceof Problem && refusal.code, 'media-unsupported', format)
    t.notMatch(DECODED_FORMATS.toLowerCase(), format)
  }
  t.equal(formatOf(Buffer.from('a shopping list')), undefined)
  t.notOk(isDecoded(undefined))
})

t.test('the refusal, the README and the description of the API name the same formats', async (t) => {
  const root = resolve(import.meta.dirname, '../../..')
  const detail = PROBLEMS['media-unsupported'].detail ?? ''
  for (const text of [detail, ...['README.md', 'openapi.yaml'].map((file) => readFileSync(join(root, file), 'utf8'))]) {
    t.ok(text.includes(DECODED_FORMATS))
    const listed = text.match(/[^\n.]*\bAVIF\b[^\n.]*/g) ?? []
    for (const list of listed) if (list.includes('TIFF')) t.notMatch(list, /HEIC/)
  }
})
