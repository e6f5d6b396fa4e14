import t from 'tap'
import { encodingFor, languageFor } from '../../src/web/negotiate.js'

const LANGUAGES = ['en', 'ms', 'ta', 'zh-Hans']

t.test('the language of a page is the chosen one, else the preferred of Accept-Language, else the first', async (t) => {
  for (const [chosen, header, expected] of [
    [undefined, undefined, 'en'],
    [undefined, '', 'en'],
    [undefined, 'ms', 'ms'],
    [undefined, 'ms-MY,ms;q=0.9,en;q=0.8', 'ms'],
    [undefined, 'en;q=0.5, ta;q=0.9', 'ta'],
    [undefined, 'ta;q=0, ms;q=0.1', 'ms'],
    [undefined, 'zh-CN', 'zh-Hans'],
    [undefined, 'zh-TW,en;q=0.1', 'zh-Hans'],
    [undefined, 'ZH-HANS', 'zh-Hans'],
    [undefined, 'fr, de', 'en'],
    [undefined, 'fr, ta;q=0.1', 'ta'],
    ['ms', 'ta', 'ms'],
    ['fr', 'ta', 'ta'],
    [['ms'], 'ta', 'ta'],
    ['__proto__', ';;;q=,,', 'en'],
    [undefined, `${'x,'.repeat(100_000)}ta`, 'en'],
  ] as const) {
    t.equal(languageFor(LANGUAGES, chosen, header), expected, `${String(chosen)} | ${header?.slice(0, 40)}`)
  }
})

t.test('brotli is preferred to gzip, and a refused encoding is not used', async (t) => {
  for (const [header, expected] of [
    [undefined, 'identity'],
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['deflate', 'identity'],
  ] as const) {
    t.equal(encodingFor(header), expected, String(header))
  }
})
