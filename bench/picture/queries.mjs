// The queries: edits of photographs, hashed as a worker hashes an upload; and the registration of a photograph. Both are cached, as view sets are.

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { answerFor } from '../../dist/workers/media/answer.js'
import { progress } from '../report.mjs'
import { openEdits } from '../robustness/edits.mjs'

const SEED = '1'

/**
 * @param every only each of so many edits.
 * @returns for each photograph `{ name, registered, asked }`: its signals, and for each edit `{ id, group, image }`, `image` as a worker answers.
 *   Without photographs and edits that a worker refuses.
 */
export async function queriesOf(photos, folder, every = 1) {
  const edits = await openEdits({ seed: SEED })
  const chosen = edits.catalogue.filter((_, i) => i % every === 0).map(({ id }) => id)
  const own = await openEdits({ seed: SEED, only: chosen })
  mkdirSync(join(folder, 'queries'), { recursive: true })
  const found = []
  const draw = progress('hashing edits', photos.length)
  for (const [i, photo] of photos.entries()) {
    const file = join(folder, 'queries', `${photo.stem}-${every}.bin`)
    if (!existsSync(file)) keep(file, serialize(await hashedEdits(photo, own)))
    found.push({ name: photo.name, ...deserialize(readFileSync(file)) })
    draw(i + 1)
  }
  return found.filter(({ registered }) => registered !== undefined)
}

async function hashedEdits(photo, edits) {
  const registered = await answerFor(photo.read(), 'register')
  const asked = []
  for await (const { id, group, bytes } of edits.of(photo)) {
    const answer = await answerFor(bytes, 'query')
    if ('image' in answer) asked.push({ id, group, image: answer.image })
  }
  return { registered: 'image' in registered ? registered.image.signals : undefined, asked }
}

/** Whole or not at all. */
function keep(file, content) {
  writeFileSync(`${file}.part`, content)
  renameSync(`${file}.part`, file)
}
