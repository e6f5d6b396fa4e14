// Edits of a photograph, made by their modules or read from the cache.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { register } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import sharp from 'sharp'
import { CATALOG, variants } from '../variants/variants.mjs'
import { BadArguments } from './options.mjs'

// A module of layouts may lie anywhere, also where no packages are.
register('./resolve.mjs', import.meta.url)

const ENDINGS = ['.jpg', '.webp', '.png']

/**
 * @param layouts the path of a module with further edits, if any.
 * @param only ids and groups, or undefined for all.
 * @returns `catalogue`, the edits chosen, and `of(photo)`, which makes them one after the other.
 * @throws {BadArguments} when the module is none, or when nothing is chosen.
 */
export async function openEdits({ layouts, only, seed, cache }) {
  // The decoder shuts most loaders for the whole process, because strangers' files are not to reach them. What is opened here
  // is drawn by the modules of edits, as SVG and whatever else they like.
  sharp.unblock({ operation: ['VipsForeignLoad'] })
  const modules = [{ CATALOG, variants, isOwn: true }, ...(layouts === undefined ? [] : [await moduleAt(layouts)])]
  const catalogue = modules.flatMap((module) =>
    module.CATALOG.filter(({ id, group }) => only === undefined || only.includes(id) || only.includes(group)).map(
      (entry) => ({
        ...entry,
        // A module that does not tell may show others in any of its edits.
        usesOthers: entry.usesOthers ?? true,
        isOwn: module.isOwn === true,
        module,
      }),
    ),
  )
  checkNames(catalogue, modules, only)
  return { catalogue, of: (photo) => editsOf(photo, catalogue, seed, cache) }
}

async function* editsOf(photo, catalogue, seed, cache) {
  const missing = []
  for (const entry of catalogue) {
    const kept = cache === undefined ? undefined : readKept(join(cache, photo.stem), entry.id)
    if (kept === undefined) missing.push(entry)
    else yield { ...entry, bytes: kept }
  }
  for (const module of new Set(missing.map((entry) => entry.module))) {
    const entries = new Map(missing.filter((entry) => entry.module === module).map((entry) => [entry.id, entry]))
    const others = await readable(photo.others.map(photo.readOther))
    const made = module.variants(photo.read(), `${seed}:${photo.stem}`, { only: [...entries.keys()], others })
    for await (const { id, image } of made) {
      const entry = entries.get(id)
      if (entry === undefined) continue // asked by id, it gave one of a group of that name
      if (cache !== undefined) keep(join(cache, photo.stem), id, image)
      yield { ...entry, bytes: image }
    }
  }
}

/** Without what is no picture: it is left out of what is registered too, and must not end the run of another one. */
async function readable(files) {
  const isPicture = await Promise.all(
    files.map((bytes) =>
      sharp(bytes)
        .metadata()
        .then(Boolean, () => false),
    ),
  )
  return files.filter((_, i) => isPicture[i])
}

async function moduleAt(path) {
  const module = await import(pathToFileURL(resolve(path))).catch((error) => {
    throw new BadArguments(`--layouts: ${path} cannot be loaded: ${error.message}`)
  })
  const { CATALOG, variants } = module
  const isCatalogue =
    Array.isArray(CATALOG) && CATALOG.every(({ id, group }) => typeof id === 'string' && typeof group === 'string')
  if (isCatalogue && typeof variants === 'function') return { CATALOG, variants }
  throw new BadArguments(
    `--layouts: ${path} must export CATALOG, a list of { id, group }, and variants(buffer, seed, options)`,
  )
}

function checkNames(catalogue, modules, only) {
  const entries = modules.flatMap(({ CATALOG }) => CATALOG)
  const twice = entries.find(({ id }, i) => entries.findIndex((other) => other.id === id) !== i)
  if (twice !== undefined) throw new BadArguments(`--layouts: there are two edits named ${twice.id}`)
  const unknown = only?.find((name) => !entries.some(({ id, group }) => id === name || group === name))
  if (unknown !== undefined) throw new BadArguments(`--variants: there is no edit and no group named ${unknown}`)
  if (catalogue.length === 0) throw new BadArguments('--variants: no edit is chosen')
}

function readKept(folder, id) {
  const path = ENDINGS.map((ending) => join(folder, id + ending)).find((file) => existsSync(file))
  return path === undefined ? undefined : readFileSync(path)
}

function keep(folder, id, bytes) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, id + endingOf(bytes)), bytes)
}

function endingOf(bytes) {
  if (bytes.toString('latin1', 8, 12) === 'WEBP') return '.webp'
  return bytes.toString('latin1', 1, 4) === 'PNG' ? '.png' : '.jpg'
}
