// Tables of the figures of bench/page.mjs.

import { FEW_BITS, MAX_BITS } from './distances.mjs'

export function report({ asTaken, reduced, speed, machine }) {
  const row = (name, { count, median, p99, max, beyond }) =>
    `| ${name} | ${count} | ${median} | ${p99} | ${max} | ${beyond} |`
  const table = (title, { pictures, refusedByDevice, kinds }) => [
    `${title}: ${pictures} pictures, ${refusedByDevice} refused by the device`,
    '',
    `| hash, view | compared | median bits | p99 | max | beyond ${MAX_BITS} |`,
    '| --- | --- | --- | --- | --- | --- |',
    ...Object.entries(kinds).map(([name, values]) => row(name, values)),
    '',
  ]
  return [
    machine,
    '',
    ...table('As taken', asTaken),
    ...table('Enlarged', reduced),
    `${speed.pictures} pictures of ${speed.pixels / 1e6} megapixels read in ${speed.ms} ms; longest task of the page ${speed.longestTaskMs} ms; its processes had ${speed.memoryMb.before} MB before and ${speed.memoryMb.most} MB at most`,
  ].join('\n')
}

const KINDS = [
  'pdq, whole',
  'pdq-area, whole',
  'pdq-area, piece',
  'pdq-area, crop',
  'pdq-area, tilted',
  'pdq-area, deframed',
]

/** Of each kind the share of hashes that are `FEW_BITS` apart at most, and the largest distance. */
export function variantsHeader() {
  return [
    `Hashes at most ${FEW_BITS} bits apart, and the largest distance in bits:`,
    '',
    `| variant | size | pictures | ${KINDS.join(' | ')} |`,
    `|${' --- |'.repeat(3 + KINDS.length)}`,
  ].join('\n')
}

export function variantLine({ name, size, pictures, refusedByDevice, kinds }) {
  const sides = size === undefined ? 'its own' : `${size.width} × ${size.height}`
  const cell = (kind) => (kind === undefined ? '' : `${share(kind)} %, ${kind.max}`)
  return `| ${[name, sides, pictures - refusedByDevice, ...KINDS.map((kind) => cell(kinds[kind]))].join(' | ')} |`
}

export function videoLine({ name, ms, memoryMb, durationMs, frames, signals }) {
  return `${name}: ${durationMs / 1000} s of video in ${ms} ms; ${frames} frames, ${signals} hashes; ${memoryMb.before} MB before, ${memoryMb.most} MB at most`
}

/** Rounded down, so that 100 means all. */
function share({ count, withinFew }) {
  return Math.floor((1000 * withinFew) / count) / 10
}
