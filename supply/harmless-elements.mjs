// Draws bare elements that many innocent pictures have, and writes their hashes as a file for the bank `harmless`.
//
//   npm run harmless [-- --draw FOLDER]
//
// Keyboards, pads, stickers, blank forms and cards, frames of apps: each drawn by supply/harmless, in several styles. Nothing is taken from anybody's
// app, and nothing from bench/lookalikes, which draws its own: a bank of those would measure itself. An operator imports
// the file (docs/runbook.md). What PDQ finds too plain to register is left out: it could not be registered by anybody else either.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { SIGNAL_TYPES } from '../dist/packages/core/src/matching/signal-types.js'
import { formatHash } from '../dist/packages/hash/src/hash256.js'
import { answerFor } from '../dist/workers/media/answer.js'
import { ELEMENTS, PALETTES, PROPORTIONS } from './harmless/elements.mjs'

const FILE = new URL('../harmless/elements.ndjson', import.meta.url)

const { values: options } = parseArgs({ options: { draw: { type: 'string' } } })
if (options.draw !== undefined) mkdirSync(options.draw, { recursive: true })
sharp.unblock({ operation: ['VipsForeignLoad'] }) // the decoder shuts the loader of SVG
const written = []
const refused = []
for (const [name, draw] of Object.entries(ELEMENTS)) {
  for (const [palette, colours] of Object.entries(PALETTES)) {
    for (const wide of PROPORTIONS) {
      const ref = `${name}, ${palette}, ${wide}`
      const { w, h, body } = draw(colours, wide)
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${Math.round(h)}">${body}</svg>`
      const png = await sharp(Buffer.from(svg)).flatten().png().toBuffer()
      if (options.draw !== undefined) writeFileSync(join(options.draw, `${ref}.png`), png)
      const line = await lineOf(ref, png)
      if (line === undefined) refused.push(ref)
      else written.push(line)
    }
  }
}
writeFileSync(FILE, `${written.join('\n')}\n`)
console.log(`${written.length} elements written, ${refused.length} too plain: ${refused.join('; ') || 'none'}`)

/** As `tabir import` reads it; `undefined` for what cannot be registered. */
async function lineOf(ref, png) {
  const answer = await answerFor(png, 'register', 'none')
  if ('problem' in answer || answer.image.quality < SIGNAL_TYPES.pdq.minQuality) return undefined
  // Its file is nobody else's: that the same bytes come again is not to be expected.
  const signals = answer.image.signals
    .filter(({ type }) => type !== 'sha256')
    .map(({ type, view, quality, hashes: [hash] }) => ({ type, view, quality, hash: formatHash(hash) }))
  const whole = signals.find(({ type, view }) => type === 'pdq' && view === 'whole')
  return JSON.stringify({ type: 'pdq', hash: whole.hash, quality: whole.quality, ref, signals })
}
