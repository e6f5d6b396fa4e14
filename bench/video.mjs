// Measures recall of edited videos, and false matches.
//
//   npm run bench video -- --clips FOLDER [--distractors FOLDER] [--edits LIST] [--limit N] [--seed N] [--cache FOLDER] [--json]
//     [--record]
//
// Registers the first minute of each film of both folders. Then it queries each film unchanged, and 26 edits of the middle 12 seconds of each clip
// (bench/video/edits.mjs). --edits takes names, separated by commas; --limit edits only the first N clips; --seed draws other sizes and positions;
// --cache keeps hashes for the next run of the same version.
// Edits are files in a temporary folder that is removed. It needs the system's ffmpeg.
//
// Films whose names have the same words before `_` are of one camera in one place: matches among them are counted separately. A film that an edit shows
// beside its own counts neither as found nor as false.
//
// The last line is JSON: { clips, queries, recall: { edit: percent }, mean, falseVideos, strangerPairs, sameCameraFalse, momentWithin1s, rowsPerMinute,
// cpuPerMinute: { decode, hash, search } }. `mean` excludes stills; `cpuPerMinute` is seconds of processor for a minute of film. --json prints this line alone.
// --record writes bench/record/video.md. Status 1 when an answer differs from that of every pair of frames.

import { join } from 'node:path'
import { optionsOrExit, progress } from './report.mjs'
import { run } from './service.mjs'
import { cacheIn } from './video/cache.mjs'
import { clipsOf } from './video/clips.mjs'
import { Costs, timed } from './video/costs.mjs'
import { hashedFilm, hashedStill, hashedVideo } from './video/films.mjs'
import { makerOf, temporaryFolder } from './video/making.mjs'
import { optionsOf } from './video/options.mjs'
import { Reference } from './video/reference.mjs'
import { namesOf, record, report, summaryOf } from './video/report.mjs'
import { Service } from './video/service.mjs'
import { momentErrorMs, Tally } from './video/tally.mjs'
import { Vpdq } from './video/vpdq.mjs'

/** Keeps names of folders out of the record. */
const FOLDERS = { '--clips': 'CLIPS', '--distractors': 'DISTRACTORS', '--cache': 'CACHE' }

const options = optionsOrExit(optionsOf)

await run(async (defer) => {
  const folder = temporaryFolder(defer)
  const { clips, unreadable } = await clipsOf(options.clips)
  const others = options.distractors === undefined ? { clips: [], unreadable: [] } : await clipsOf(options.distractors)
  for (const file of [...unreadable, ...others.unreadable])
    console.error(`left out, because ffprobe cannot read it: ${file}`)
  const films = [...clips, ...others.clips]
  if (new Set(films.map(({ name }) => name)).size < films.length) throw new Error('two films have the same name')

  const figures = await measure({ folder, films, edited: clips.slice(0, options.limit), ...options })
  if (!options.json) console.log(`${report(figures)}\n\n${namesOf(figures)}\n`)
  console.log(JSON.stringify(summaryOf(figures)))
  if (options.record) record(figures, { command: commandOf(process.argv.slice(2)) })
  if (figures.checked.wrong > 0) process.exitCode = 1
})

async function measure({ folder, films, edited, edits, seed, cache }) {
  const cached = cacheIn(cache ?? join(folder, 'hashes'))
  const costs = { registered: new Costs(), asked: new Costs(), edits: new Costs(), stills: new Costs() }
  const [service, reference, vpdq] = [new Service(), new Reference(), new Vpdq()]
  const tally = new Tally(
    films.map(({ name }) => name),
    edits.map(({ id }) => id),
  )
  const checked = { all: 0, wrong: 0 }
  const moving = new Set()
  let rows = 0

  const drawFilms = progress('registering', films.length)
  for (const [i, film] of films.entries()) {
    const { registered, vpdq: hashes, ...hashed } = await cached(film.name, () => hashedFilm(film))
    costs.registered.add(hashed.costs.registered)
    service.register(film.name, registered)
    reference.register(film.name, registered)
    vpdq.register(film.name, hashes)
    rows += registered.frames.reduce((sum, { signals }) => sum + signals.length, 0)
    if (hashed.isMoving) moving.add(film.name)
    drawFilms(i + 1)
  }

  service.settle()

  const ask = async (query, hashed, sum) => {
    const search = {}
    const answer = await timed(search, 'searchMs', () => service.ask(hashed.asked, query))
    sum.add(hashed.costs)
    sum.add(search)
    const found = [...answer.keys()].sort()
    checked.all++
    if (found.join() !== reference.ask(hashed.asked, query).join()) checked.wrong++
    tally.add(query, { tabir: found, ...vpdq.ask(hashed.vpdq) })
    const [segment] = answer.get(query.name) ?? []
    if (segment !== undefined && query.shows !== undefined && moving.has(query.name))
      tally.addMoment(momentErrorMs(segment, query.shows))
  }

  const draw = progress('asking', films.length + edited.length * edits.length)
  let done = 0
  for (const film of films) {
    const hashed = await cached(film.name, () => hashedFilm(film))
    await ask({ name: film.name, beside: [], isStill: false }, { ...hashed, costs: hashed.costs.asked }, costs.asked)
    draw(++done)
  }
  for (const clip of edited) {
    const maker = makerOf(clip, { strangers: films, folder, seed })
    for (const edit of edits) {
      const { id, isStill } = edit
      const hash = isStill ? hashedStill : hashedVideo
      const hashed = await cached(`${clip.name}.${id}.${seed}`, () =>
        maker.make(edit, async ({ file, ...made }) => ({ ...made, ...(await hash(file)) })),
      )
      if (hashed !== undefined)
        await ask({ name: clip.name, id, isStill, ...hashed }, hashed, isStill ? costs.stills : costs.edits)
      draw(++done)
    }
    maker.end()
  }
  const stills = new Set(edits.filter(({ isStill }) => isStill).map(({ id }) => id))
  return { clips: edited.length, registered: films.length, moving: moving.size, tally, rows, costs, stills, checked }
}

function commandOf(words) {
  const shown = words.map((word, i) => FOLDERS[words[i - 1]] ?? word)
  return ['npm run bench video --', ...shown.filter((word) => word !== '--json' && word !== '--record')].join(' ')
}
