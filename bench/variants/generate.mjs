// The interface of every module of edits: a catalogue, and a generator that makes the edits of one photograph.

import { opened, pictureOf, pipeline, plain } from './picture.mjs'
import { randomOf } from './random.mjs'

const LONG_SIDE_PX = 1600
const OTHERS_LONG_SIDE_PX = 800
const INVENTED_OTHERS = 4

/**
 * An edit: its name, its group, `make({ photo, random, others })` → the bytes of a file, and whether it shows `others` beside
 * the photograph, so that finding them in it is not false.
 */
export function edit(id, group, make, { usesOthers = false } = {}) {
  return { id, group, make, usesOthers }
}

export function catalogueOf(edits) {
  return edits.map(({ id, group, usesOthers }) => ({ id, group, usesOthers }))
}

/**
 * @param edits a table of edits.
 * @returns `variants(buffer, seed, { only, others })`: the edits of a photograph one after the other, those that `only` names
 *   by their id or group, or all. Each draws from a generator of its own, so that it does not depend on which are asked for.
 */
export function variantsOf(edits) {
  /**
   * @param {Buffer} buffer
   * @param {any} seed
   * @param {{ only?: string[], others?: Buffer[] }} [wanted]
   */
  return async function* variants(buffer, seed = 0, { only, others = [] } = {}) {
    const photo = await opened(buffer, LONG_SIDE_PX)
    const beside = await Promise.all(others.map((other) => opened(other, OTHERS_LONG_SIDE_PX)))
    if (beside.length === 0) beside.push(...(await inventedOthers(seed)))
    for (const { id, group, make } of edits) {
      if (only !== undefined && !only.includes(id) && !only.includes(group)) continue
      yield { id, group, image: await make({ photo, random: randomOf(`${seed}:${id}`), others: beside }) }
    }
  }
}

/** Clouds of colour, for who has a single photograph. */
async function inventedOthers(seed) {
  const random = randomOf(`others:${seed}`)
  const clouds = []
  for (let i = 0; i < INVENTED_OTHERS; i++) {
    const [r, g, b] = [random.int(0, 255), random.int(0, 255), random.int(0, 255)]
    const { data } = await pictureOf(plain(8, 8, { r, g, b }))
    const noisy = Buffer.from(data.map((value) => Math.max(0, Math.min(255, value + random.gauss() * 60))))
    clouds.push(await pictureOf(pipeline({ data: noisy, width: 8, height: 8 }).resize(640, 640, { kernel: 'cubic' })))
  }
  return clouds
}
