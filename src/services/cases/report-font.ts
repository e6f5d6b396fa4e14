// Fonts of the report, shaped by HarfBuzz. The shaper of pdfkit does not know every script, and none of its lines run from right to left.

import { readFileSync } from 'node:fs'
import createBidi, { type Bidi } from 'bidi-js'
import { Blob, Direction, Face, Font, Buffer as Shaped, shape } from 'harfbuzzjs'
import type { Language } from '../../domain/languages.js'

export type Weight = 'regular' | 'bold'
type Doc = PDFKit.PDFDocument

/** What pdfkit asks of a font when it measures and writes a line. Advances in thousandths of the size. */
interface Line {
  readonly glyphs: readonly Glyph[]
  readonly positions: readonly Position[]
  readonly advanceWidth: number
}
interface Glyph {
  readonly id: number
  /** What is copied for it. */
  readonly codePoints: readonly number[]
  /** In units of the font. */
  readonly advanceWidth: number
}
interface Position {
  readonly xAdvance: number
  readonly yAdvance: number
  readonly xOffset: number
  readonly yOffset: number
  /** Of the glyph before shaping. */
  readonly advanceWidth: number
}
/** The part of pdfkit's font that is used here and not in its types. */
interface EmbeddedFont {
  readonly scale: number
  layout: (text: string) => Line
}

/** The types of this package are those of an ES module; what Node loads is its function itself. */
const bidi = (createBidi as unknown as () => Bidi)()
/** Left-to-right isolate, and its end. */
const [LRI, PDI] = ['\u2066', '\u2069']

/** Registers both weights. Call before text is written. */
export function registerFonts(doc: Doc, language: Language): void {
  for (const weight of ['regular', 'bold'] as const) {
    const bytes = readFileSync(new URL(`../../../fonts/${language.tag}-${weight}.ttf`, import.meta.url))
    doc.registerFont(weight, bytes).font(weight)
    const font: unknown = Reflect.get(doc, '_font') // the only way to a font that is registered
    if (!isEmbedded(font)) throw new Error('pdfkit has another kind of font than this shaper is made for')
    const shaper = new Font(new Face(new Blob(new Uint8Array(bytes))))
    font.layout = (text) => lineOf(text, font, shaper, language)
  }
}

function isEmbedded(font: unknown): font is EmbeddedFont {
  return typeof font === 'object' && font !== null && 'layout' in font && 'scale' in font
}

function lineOf(text: string, embedded: EmbeddedFont, shaper: Font, language: Language): Line {
  const glyphs: Glyph[] = []
  const positions: Position[] = []
  for (const run of visualRuns(text, language.direction)) {
    for (const each of shapedRun(run, shaper, language.tag)) {
      if (each.id === 0) throw new Error(`the report's font for ${language.tag} lacks a letter of: ${run.text}`)
      const { id, codePoints } = each
      const advance = shaper.glyphHAdvance(id)
      const { xAdvance, yAdvance, xOffset, yOffset } = each.position
      const [x, y, dx, dy] = [xAdvance, yAdvance, xOffset, yOffset].map((units) => units * embedded.scale)
      glyphs.push({ id, codePoints, advanceWidth: advance })
      const advanceWidth = advance * embedded.scale
      positions.push({ xAdvance: x ?? 0, yAdvance: y ?? 0, xOffset: dx ?? 0, yOffset: dy ?? 0, advanceWidth })
    }
  }
  return { glyphs, positions, advanceWidth: positions.reduce((sum, { xAdvance }) => sum + xAdvance, 0) }
}

interface Run {
  readonly text: string
  readonly isRightToLeft: boolean
}

/** Parts of one direction and script, from left to right as they are seen. */
function visualRuns(text: string, direction: 'ltr' | 'rtl'): Run[] {
  const { levels } = bidi.getEmbeddingLevels(text, direction)
  const runs: (Run & { readonly level: number })[] = []
  let start = 0
  for (let at = 1; at <= text.length; at++) {
    const level = levels[start] ?? 0
    if (at < text.length && levels[at] === level && !isScriptChange(text, at)) continue
    runs.push({ text: text.slice(start, at), level, isRightToLeft: level % 2 === 1 })
    start = at
  }
  // Unicode's rule L2: from the highest level down, reverse what is at this level or above.
  for (let level = Math.max(0, ...runs.map((run) => run.level)); level > 0; level--) {
    for (let from = 0; from < runs.length; from++) {
      let to = from
      while ((runs[to]?.level ?? -1) >= level) to++
      if (to > from) runs.splice(from, to - from, ...runs.slice(from, to).reverse())
      from = to
    }
  }
  return runs
}

/** Letters of two scripts need two shapers; all other characters go with what is before them. */
function isScriptChange(text: string, at: number): boolean {
  const isLatin = /\p{Script=Latin}/u
  const [before, after] = [text.slice(0, at).match(/\p{L}/gu)?.at(-1), /^\p{L}/u.exec(text.slice(at))?.[0]]
  return before !== undefined && after !== undefined && isLatin.test(before) !== isLatin.test(after)
}

function shapedRun({ text, isRightToLeft }: Run, shaper: Font, language: string) {
  const buffer = new Shaped()
  buffer.addText(text)
  buffer.guessSegmentProperties()
  buffer.setDirection(isRightToLeft ? Direction.RTL : Direction.LTR)
  buffer.setLanguage(language)
  shape(shaper, buffer)
  const infos = buffer.getGlyphInfos()
  const positions = buffer.getGlyphPositions()
  const starts = [...new Set(infos.map(({ cluster }) => cluster))].sort((a, b) => a - b)
  const told = new Set<number>()
  return infos.flatMap(({ codepoint: id, cluster }, i) => {
    const position = positions[i]
    if (position === undefined) return []
    // What a reader copies is the text: the first glyph of a cluster stands for all of it.
    const characters = told.has(cluster) ? '' : text.slice(cluster, starts[starts.indexOf(cluster) + 1])
    told.add(cluster)
    return [{ id, position, codePoints: Array.from(characters, (each) => each.codePointAt(0) ?? 0) }]
  })
}

/** In a text that runs from right to left, what is in ASCII keeps its own order: a path, a time, a command. */
export function isolated(text: string, { direction }: Language): string {
  if (direction === 'ltr') return text
  return text.replaceAll(/[\w/]+(?:[ ./:+=-]+[\w/]+)*/g, (part) => `${LRI}${part}${PDI}`)
}

/** Marks where a line may break in languages that are written without spaces, for the line breaking of pdfkit. */
export function breakable(text: string, { tag }: Language): string {
  if (tag !== 'th' && tag !== 'my') return text
  const parts = [...new Intl.Segmenter(tag, { granularity: 'word' }).segment(text)]
  return parts
    .map(({ segment, isWordLike }, i) => (isWordLike && parts[i - 1]?.isWordLike ? `\u200B${segment}` : segment))
    .join('')
}
