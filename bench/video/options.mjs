// Reads the options of the command line.

import { statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { EDITS } from './edits.mjs'

/**
 * @returns the options, with `edits` from edits.mjs.
 * @throws {Error} that names the wrong option.
 */
export function optionsOf(words) {
  const { values } = parseArgs({
    args: words,
    options: {
      clips: { type: 'string' },
      distractors: { type: 'string' },
      edits: { type: 'string' },
      limit: { type: 'string' },
      seed: { type: 'string', default: '1' },
      cache: { type: 'string' },
      json: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
    },
  })
  if (values.clips === undefined) throw new Error('--clips must be given, a folder of films')
  for (const name of ['clips', 'distractors']) {
    const folder = values[name]
    if (folder !== undefined && !statSync(folder, { throwIfNoEntry: false })?.isDirectory())
      throw new Error(`--${name}: there is no folder ${folder}`)
  }
  return { ...values, edits: editsOf(values.edits), limit: limitOf(values.limit) }
}

function editsOf(list) {
  if (list === undefined) return EDITS
  const names = list.split(',').map((name) => name.trim())
  const unknown = names.filter((name) => EDITS.every(({ id }) => id !== name))
  if (unknown.length > 0)
    throw new Error(`--edits: there is no ${unknown.join(', ')}, only ${EDITS.map(({ id }) => id).join(', ')}`)
  return EDITS.filter(({ id }) => names.includes(id))
}

function limitOf(text) {
  const limit = text === undefined ? Number.POSITIVE_INFINITY : Number(text)
  if (!(limit >= 1)) throw new Error('--limit must be a number from 1')
  return limit
}
