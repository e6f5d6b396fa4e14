// Fonts of the report, as small as its words need: Noto Sans (SIL Open Font Licence) for each language, in two weights. Only the words of
// `page/messages` and what is written in ASCII appear in a report, so no other character is needed.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(import.meta.url)

/** By the script of the language, as ISO 15924 names it. */
const FAMILIES = {
  Arab: 'NotoSansArabic',
  Beng: 'NotoSansBengali',
  Deva: 'NotoSansDevanagari',
  Hans: 'NotoSansSC',
  Jpan: 'NotoSansJP',
  Kore: 'NotoSansKR',
  Latn: 'NotoSans',
  Mymr: 'NotoSansMyanmar',
  Taml: 'NotoSansTamil',
  Thai: 'NotoSansThai',
}
const WEIGHTS = { regular: '400Regular', bold: '700Bold' }
const ASCII = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('')

/** @param messages the folder with one file a language; @param target replaced as a whole. */
export async function buildFonts(messages, languages, target) {
  const inputs = [import.meta.filename, ...languages.map((tag) => join(messages, `${tag}.json`))]
  const isBuilt = languages.every((tag) =>
    Object.keys(WEIGHTS).every((weight) => {
      const file = join(target, `${tag}-${weight}.ttf`)
      return existsSync(file) && inputs.every((input) => statSync(input).mtimeMs < statSync(file).mtimeMs)
    }),
  )
  if (isBuilt) return
  const fresh = `${target}-${process.pid}`
  mkdirSync(fresh, { recursive: true })
  const subset = await subsetter()
  for (const tag of languages) {
    const texts = Object.entries(JSON.parse(readFileSync(join(messages, `${tag}.json`), 'utf8')))
    const written = texts.flatMap(([key, text]) => (key.startsWith('report.') ? [text] : [])).join('')
    // Shaping takes some letters apart, such as Thai ำ, and puts others together.
    const words = written + ['NFC', 'NFD', 'NFKD'].map((form) => written.normalize(form)).join('')
    for (const [weight, name] of Object.entries(WEIGHTS))
      writeFileSync(join(fresh, `${tag}-${weight}.ttf`), subset(readFileSync(fontFile(tag, name)), words + ASCII))
  }
  rmSync(target, { recursive: true, force: true })
  renameSync(fresh, target)
}

function fontFile(tag, weight) {
  const { script } = new Intl.Locale(tag).maximize()
  const family = FAMILIES[script]
  if (family === undefined) throw new Error(`there is no font for ${tag}, which is written in ${script}`)
  const folder = family.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()
  return require.resolve(`@expo-google-fonts/${folder}/${weight}/${family}_${weight}.ttf`)
}

/** HarfBuzz keeps what shaping needs beside the characters: ligatures, forms by position, marks. */
async function subsetter() {
  const program = readFileSync(require.resolve('harfbuzzjs/dist/harfbuzz-subset.wasm'))
  return (font, text) => {
    const { exports: hb } = new WebAssembly.Instance(new WebAssembly.Module(program))
    const memory = /** @type {WebAssembly.Memory} */ (hb.memory)
    hb._initialize()
    const at = hb.malloc(font.length)
    new Uint8Array(memory.buffer).set(font, at)
    const face = hb.hb_face_create(hb.hb_blob_create(at, font.length, 2, 0, 0), 0)
    const input = hb.hb_subset_input_create_or_fail()
    const wanted = hb.hb_subset_input_unicode_set(input)
    for (const character of new Set(text)) hb.hb_set_add(wanted, character.codePointAt(0))
    const made = hb.hb_face_reference_blob(hb.hb_subset_or_fail(face, input))
    const start = hb.hb_blob_get_data(made, 0)
    return Buffer.from(new Uint8Array(memory.buffer, start, hb.hb_blob_get_length(made)))
  }
}
