// The second stage: a picture is found by its details, and no candidate counts that was not verified.

import sharp from 'sharp'
import { detailsWith } from '../../dist/src/hash/details/details.js'
import { askedFeatures } from '../../dist/src/hash/details/kept.js'
import { MAX_DETAIL_ROWS, placedRow } from '../../dist/src/hash/details/rows.js'
import { isShown, verify } from '../../dist/src/hash/details/verify.js'
import { voteOf } from '../../dist/src/hash/details/vote.js'
import { loadDetailsKernelSync } from '../../dist/src/hash/details-kernel.js'
import { loadFrameKernelSync } from '../../dist/src/hash/frame-kernel.js'
import { SignalIndex } from '../../dist/src/search/signal-index.js'

const LONGEST_SIDE_PX = 1400
const THRESHOLD_BITS = 24
const NEEDLES_A_VIEW = 150
const LEAST_AGREEING = 2
const CANDIDATES = 20
/** A row that so many unrelated pictures have is decoration. */
const DECORATION_PICTURES = 3

const details = detailsWith(loadDetailsKernelSync(), loadFrameKernelSync())

/** Its sides keep their proportion, unlike those of what PDQ is computed from. */
async function decodeEvenly(file) {
  const { data, info } = await sharp(file)
    .autoOrient()
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .resize(LONGEST_SIDE_PX, LONGEST_SIDE_PX, { fit: 'inside', withoutEnlargement: true })
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height, channels: info.channels }
}

export class DetailsIndex {
  #index = new SignalIndex()
  #pictures = new Map()
  #decoration = new SignalIndex()

  /** @param image the number that the picture has elsewhere. */
  async add(image, file) {
    const { ranked, points } = details.register(await decodeEvenly(file))
    const { width, height } = ranked
    const rows = ranked.rows.slice(0, MAX_DETAIL_ROWS).map((row) => ({ ...placedRow(row, ranked), hash: row.hash }))
    this.#pictures.set(image, { rows, points, centre: { x: width / 2, y: height / 2 } })
    for (const [row, { hash }] of rows.entries()) this.#index.insert(image, row, hash)
  }

  /**
   * Notes what several pictures have in common that are not one another: chrome, stickers. It finds nothing from then on.
   *
   * @param areRelated whether two pictures are known to show the same one.
   * @returns how many rows that are.
   */
  noteDecoration(areRelated) {
    let noted = 0
    for (const [image, { rows }] of this.#pictures) {
      for (const { hash } of rows) {
        const alike = new Set(this.#index.within([hash], THRESHOLD_BITS).map((hit) => hit.image))
        const unrelated = []
        for (const other of alike) if ([image, ...unrelated].every((one) => !areRelated(one, other))) unrelated.push(other)
        if (unrelated.length < DECORATION_PICTURES) continue
        this.#decoration.insert(noted++, 0, hash)
      }
    }
    return noted
  }

  /**
   * @returns `images`, what is shown; `verified`, how many candidates were looked at, by picture the inliers; and what it cost.
   */
  async find(file) {
    const pixels = await decodeEvenly(file)
    const begun = process.cpuUsage()
    const views = details.ask(pixels)
    const lookedMs = cpuMs(begun)
    const candidates = views.flatMap((view) => [false, true].flatMap((isMirrored) => this.#candidates(view, isMirrored)))
    const best = new Map()
    for (const one of candidates) if (one.weight > (best.get(one.image)?.weight ?? 0)) best.set(one.image, one)
    const ranked = [...best.values()].sort((a, b) => b.weight - a.weight).slice(0, CANDIDATES)
    const verified = new Map(ranked.map(({ image, asked }) => [image, verify(this.#pictures.get(image).points, asked)]))
    const images = ranked.map(({ image }) => image).filter((image) => isShown(verified.get(image)))
    return { images, verified, lookedMs, searchedMs: cpuMs(begun) - lookedMs }
  }

  #candidates(view, isMirrored) {
    const asked = askedFeatures(view, isMirrored)
    const sightings = new Map()
    for (const [needle, feature] of asked.slice(0, NEEDLES_A_VIEW).entries()) {
      if (this.#decoration.within([feature.hash], THRESHOLD_BITS).length > 0) continue
      const hits = this.#index.within([feature.hash], THRESHOLD_BITS)
      const pictures = new Set(hits.map(({ image }) => image)).size
      for (const { image, view: row, distanceBits } of hits) {
        const registered = this.#pictures.get(image).rows[row]
        const list = sightings.get(image) ?? []
        sightings.set(image, list)
        list.push({ needle, row, distanceBits, pictures, asked: feature, registered })
      }
    }
    return [...sightings].flatMap(([image, list]) => {
      const { agreeing, weight } = voteOf(list, view, this.#pictures.get(image).centre)
      return agreeing < LEAST_AGREEING ? [] : [{ image, weight, asked }]
    })
  }
}

function cpuMs(since) {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1000
}
