// Who registers a screenshot, and who queries what: the original, a screenshot of it, a copy from a chat; by hashes, and with extended protection.
//
//   npm run bench directions -- --photos FOLDER [--limit N] [--json] [--record]
//
// It uses the test photographs and the layouts of bench/variants/unseen.mjs. No constant was chosen on them. It registers one photograph after the other
// and queries each before the next. A match with another photograph counts as false.

import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { hashed, Service } from './lookalikes/service.mjs'
import { progress } from './report.mjs'
import { openEdits } from './robustness/edits.mjs'
import { photosOf } from './robustness/photos.mjs'
import { commit } from './robustness/record.mjs'

const LAYOUTS = fileURLToPath(new URL('variants/unseen.mjs', import.meta.url))
const JSON_FILE = fileURLToPath(new URL('record/directions.json', import.meta.url))
const REGISTERED = ['un_message_light', 'un_photo_feed', 'un_snap']
const QUERIED = ['un_message_dark', 'un_friends_feed', 'un_wallpaper_chat_sent', 'un_gallery_across', 'un_news_card']
const COPIES = ['resize_50', 'jpeg_q50', 'webp_q60']
const DEPTHS = { hashes: 'hashes', both: 'auto' }

const { values: args } = parseArgs({
  options: {
    photos: { type: 'string' },
    limit: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
})
if (args.photos === undefined) {
  console.error('usage: npm run bench directions -- --photos FOLDER [--limit N]')
  process.exit(2)
}

const all = photosOf(args.photos, 'test', Number.POSITIVE_INFINITY)
const every = Math.max(1, Math.floor(all.length / Number(args.limit)))
const photos = all.filter((_, i) => i % every === 0).slice(0, Number(args.limit))
const edits = await openEdits({ layouts: LAYOUTS, only: [...REGISTERED, ...QUERIED, ...COPIES], seed: '1' })
const tallies = new Map()
const refused = { registered: 0, queried: 0 }
let falsely = 0
// A person has only one of these pictures, so each kind has its own registry.
const services = new Map(['original', ...REGISTERED].map((id) => [id, new Service()]))
const draw = progress('photographs', photos.length)
for (const [i, photo] of photos.entries()) {
  const pictures = [{ id: 'original', kind: 'original', bytes: photo.read() }]
  for await (const { id, bytes } of edits.of(photo))
    pictures.push({ id, kind: COPIES.includes(id) ? 'chat copy' : 'screenshot', bytes })
  const queries = []
  for (const picture of pictures) {
    const { image } = await hashed(picture.bytes, 'query', true)
    if (image === undefined) refused.queried++
    else queries.push({ ...picture, image })
  }
  for (const [id, service] of services) {
    const { image } = await hashed(pictures.find((picture) => picture.id === id).bytes, 'register', true)
    if (image === undefined) refused.registered++
    else await service.register(photo.name, image)
    const isAsked = (query) => image !== undefined && query.id !== id && (id !== 'original' || query.kind === 'screenshot')
    for (const query of queries.filter(isAsked)) await ask(id, query, photo.name)
  }
  draw(i + 1)
}

async function ask(id, { kind, image }, photo) {
  const registered = id === 'original' ? id : 'screenshot'
  const key = `${registered} ${kind}`
  const tally = tallies.get(key) ?? { registered, queried: kind, queries: 0, hashes: 0, both: 0 }
  tallies.set(key, tally)
  tally.queries++
  for (const [stage, depth] of Object.entries(DEPTHS)) {
    const [matches] = await services.get(id).ask([image], depth)
    const told = matches.filter(({ grade }) => grade !== 'review').map(({ name }) => name)
    tally[stage] += told.includes(photo)
    if (stage === 'both') falsely += told.filter((name) => name !== photo).length
  }
}

const percent = (count, queries) => Math.round((1000 * count) / queries) / 10
const directions = [...tallies.values()].map(({ hashes, both, queries, ...rest }) => ({
  ...rest,
  queries,
  hashes: percent(hashes, queries),
  both: percent(both, queries),
}))
const result = {
  photographs: photos.length,
  refused,
  falsely,
  directions,
  date: new Date().toISOString().slice(0, 10),
  commit: commit(),
  machine: `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}, Node ${process.version}`,
  command: `npm run bench directions -- --photos FOLDER --limit ${args.limit}`,
}
if (args.json) console.log(JSON.stringify(result))
else console.table(directions)
if (args.record) writeFileSync(JSON_FILE, `${JSON.stringify(result, undefined, 1)}\n`)
process.exit()
