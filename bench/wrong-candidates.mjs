// Is a picture ever verified as another one? Edits of photographs, against registered pictures that they do not show.
//
//   npm run bench wrong-candidates -- --photos FOLDER --distractors FOLDER [--cache FOLDER] [--part I/N] [--candidates N] [--list]
//
// A vote lets few wrong candidates through, so this skips it: each edit of a photograph of the test split is verified against up to N registered pictures
// (bench/robustness/confusing.mjs), of the same kind, in the same app, under the same text or stickers, and random others, as they are and mirrored. Features
// are found once a picture. Prints how many details agreed, and what was accepted, by kind; --list names the pictures.

import { parseArgs } from 'node:util'
import { detailedSize } from '../dist/packages/hash/src/details/detailed-size.js'
import { detailsWith } from '../dist/packages/hash/src/details/details.js'
import { askedFeatures } from '../dist/packages/hash/src/details/kept.js'
import { meetsThreshold, verify } from '../dist/packages/hash/src/details/verify.js'
import { loadDetailsKernelSync } from '../dist/packages/hash/src/details-kernel.js'
import { loadFrameKernelSync } from '../dist/packages/hash/src/frame-kernel.js'
import { decode } from '../dist/workers/media/decode.js'
import { KINDS } from './robustness/confusing-kinds.mjs'
import { openEdits } from './robustness/edits.mjs'
import { distractorsOf, photosOf } from './robustness/photos.mjs'
import { registeredOf } from './robustness/registered.mjs'
import { table } from './search/table.mjs'
import { randomOf } from './variants/random.mjs'

const { values: args } = parseArgs({
  options: {
    photos: { type: 'string' },
    distractors: { type: 'string' },
    cache: { type: 'string' },
    part: { type: 'string', default: '0/1' },
    candidates: { type: 'string', default: '400' },
    list: { type: 'boolean', default: false },
  },
})
if (args.photos === undefined || args.distractors === undefined) {
  console.error(
    'usage: npm run bench wrong-candidates -- --photos FOLDER --distractors FOLDER [--cache FOLDER] [--part I/N]',
  )
  process.exit(2)
}
const most = Number(args.candidates)
const [number, of] = args.part.split('/').map(Number)

const details = detailsWith(loadDetailsKernelSync(), loadFrameKernelSync())
const registered = []
for (const picture of distractorsOf(args.distractors)) {
  const found = await registeredOf(picture, { wantsDetails: true, cache: args.cache })
  if (found !== undefined) registered.push({ name: picture.name, points: found.looked.points })
}
const layouts = new URL('./variants/unseen.mjs', import.meta.url).pathname
const edits = await openEdits({ layouts, only: KINDS, seed: '1', cache: args.cache })
const photos = photosOf(args.photos, 'test', Number.POSITIVE_INFINITY).filter((_, i) => i % of === number)

const [inliers, byKind, listed] = [[], new Map(), []]
let [queries, verified] = [0, 0]
for (const photo of photos) {
  for await (const { id, bytes } of edits.of(photo)) {
    const [view] = details.ask(await decode(bytes, detailedSize))
    if (view === undefined) continue
    queries++
    const ways = [false, true].map((isMirrored) => askedFeatures(view, isMirrored))
    for (const { name, points } of candidatesFor(photo, id)) {
      const results = ways.map((asked) => verify(points, asked, view))
      const most = Math.max(...results.map((result) => result.inliers))
      inliers[most] = (inliers[most] ?? 0) + 1
      verified++
      const kind = byKind.get(id) ?? { verified: 0, accepted: 0 }
      byKind.set(id, kind)
      kind.verified++
      if (!results.some(meetsThreshold)) continue
      kind.accepted++
      listed.push(`${photo.name} ${id}: ${name}, ${most}`)
    }
  }
}

const kinds = [...byKind].filter(([, { accepted }]) => accepted > 0)
console.log(
  `${queries} queries, ${registered.length} registered pictures, ${verified} wrong candidates verified; accepted: ${listed.length}`,
)
console.log(`details that agree: ${inliers.flatMap((count, i) => [`${i}: ${count}`]).join(', ')}`)
if (kinds.length > 0) {
  const [checked, accepted] = [kinds.map(([, kind]) => kind.verified), kinds.map(([, kind]) => kind.accepted)]
  console.log(table({ edit: kinds.map(([id]) => id), verified: checked, accepted }))
}
if (args.list) for (const line of listed) console.log(line)

/** Those of the same kind, then others in an order of chance. No two pictures of these two splits are the same. */
function candidatesFor({ stem }, id) {
  const random = randomOf(`wrong ${stem} ${id}`)
  const isAlike = ({ name }) => name.includes(`.${id}.`)
  const others = registered
    .filter((picture) => !isAlike(picture))
    .map((picture) => ({ picture, at: random.int(0, 2 ** 30) }))
  others.sort((a, b) => a.at - b.at)
  return [...registered.filter(isAlike), ...others.map(({ picture }) => picture)].slice(0, most)
}
