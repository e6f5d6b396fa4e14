// The photographs of a folder: which are measured, and which stand beside another one in edits that show several.

import { readdirSync, readFileSync } from 'node:fs'
import { join, parse } from 'node:path'
import { fnv1a } from '../variants/random.mjs'

export const SPLITS = ['tuning', 'test', 'all']

const PICTURE = /\.(?:jpe?g|png|webp)$/i
const TUNING_IN = 3 // one photograph of so many is for choosing constants, the others are for measuring
const BESIDE = [1, 7, 13, 29] // places further on in the folder

/**
 * @param split by the name alone, so that a photograph stays on its side when others come or go.
 * @returns the photographs in the order of their names: `{ name, stem, others, read }`, `others` being names.
 */
export function photosOf(folder, split, limit) {
  const names = pictureNames(folder)
  return names
    .map((name, i) => ({
      name,
      stem: parse(name).name,
      others: BESIDE.map((step) => names[(i + step) % names.length]).filter((other) => other !== name),
      read: () => readFileSync(join(folder, name)),
      readOther: (other) => readFileSync(join(folder, other)),
    }))
    .filter(({ name }) => split === 'all' || splitOf(name) === split)
    .slice(0, limit)
}

/** Other pictures of a folder, to register. */
export function distractorsOf(folder) {
  return pictureNames(folder).map((name) => ({ name, read: () => readFileSync(join(folder, name)) }))
}

function splitOf(name) {
  return fnv1a(name) % TUNING_IN === 0 ? 'tuning' : 'test'
}

function pictureNames(folder) {
  return readdirSync(folder)
    .filter((name) => PICTURE.test(name))
    .sort()
}
