// `npm run demo`: the main job from end to end, with a service of its own.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { type TabirClient, tabirClient } from '../../packages/client/src/tabir-client.js'
import { messageOf } from '../domain/message-of.js'
import { Pieces } from './remains.js'
import { type Service, startService } from './service.js'

const SCREEN = { width: 1080, height: 2340, background: '#101418' } as const

async function picturesIn(folder: string): Promise<Map<string, Buffer>> {
  const path = fileURLToPath(new URL(`../../../demo/${folder}`, import.meta.url))
  const names = (await readdir(path)).toSorted()
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(path, name))] as const)))
}

/** A picture as an app shows it: a name above, an input field below, saved badly. */
function screenshotOf(picture: Buffer): Promise<Buffer> {
  const bar = (width: number, height: number) => ({ create: { width, height, channels: 3, background: '#3a4148' } }) as const
  return sharp(picture)
    .resize(SCREEN.width, SCREEN.height - 520, { fit: 'contain', background: SCREEN.background })
    .extend({ top: 260, bottom: 260, background: SCREEN.background })
    .composite([
      { input: bar(420, 56), left: 150, top: 120 },
      { input: bar(880, 110), left: 60, top: 2140 },
    ])
    .jpeg({ quality: 75 })
    .toBuffer()
}

/** A form with one part named `image`, under a file name that says nothing. */
function formOf(picture: Buffer): FormData {
  const form = new FormData()
  form.append('image', new Blob([new Uint8Array(picture)], { type: 'image/jpeg' }), 'picture')
  return form
}

/** @returns grade and distance of the nearest match; `undefined` if there is none */
async function ask(platform: TabirClient, picture: Buffer): Promise<string | undefined> {
  const { results } = await platform.call('matchImages', { body: formOf(picture) })
  const [result] = results
  if (result?.problem !== undefined) throw new Error(result.problem.title)
  const nearest = result?.matches[0]
  return nearest && `${nearest.grade}, ${nearest.distanceBand} of 256 bits differ`
}

/** @returns what was not as promised; empty if all was */
async function show(service: Service, folder: string): Promise<string[]> {
  const { url, key } = service
  const pieces = new Pieces()
  const broken: string[] = []
  const [pictures, strangers] = await Promise.all([picturesIn('pictures'), picturesIn('strangers')])
  const copies = new Map<string, Buffer>()
  for (const [name, picture] of pictures) {
    const copy = await screenshotOf(picture)
    copies.set(name, copy)
    for (const sent of [picture, copy]) {
      pieces.add(sent)
      pieces.add(await sharp(sent).raw().toBuffer())
    }
  }
  for (const stranger of strangers.values()) pieces.add(stranger)
  const platform = tabirClient({ url, key })

  const { caseNumber, token } = await tabirClient({ url }).call('openCase', { body: { adult: true } })
  const person = tabirClient({ url, key: token })
  console.log(`\n1. A person opens case ${caseNumber} and adds ${pictures.size} pictures.`)
  for (const [name, picture] of pictures) {
    const { images } = await person.call('addImages', { params: { caseNumber }, body: formOf(picture) })
    if (images[0]?.problem !== undefined) broken.push(`${name}: not taken: ${images[0].problem.title}`)
  }

  console.log('\n2. A platform asks about screenshots of them.')
  for (const [name, copy] of copies) {
    const match = await ask(platform, copy)
    console.log(`   ${name.padEnd(22)}${match ?? 'missed'}`)
    if (match === undefined) broken.push(`${name}: its screenshot was not found`)
  }

  console.log('\n3. It asks about pictures that nobody registered.')
  for (const [name, stranger] of strangers) {
    const match = await ask(platform, stranger)
    console.log(`   ${name.padEnd(22)}${match ?? 'no match'}`)
    if (match !== undefined) broken.push(`${name} matched, and is a stranger`)
  }

  await person.call('withdrawCase', { params: { caseNumber } })
  console.log('\n4. The person withdraws the case. The platform asks again about all pictures and screenshots.')
  let matched = 0
  for (const picture of [...pictures.values(), ...copies.values()])
    if ((await ask(platform, picture)) !== undefined) matched += 1
  console.log(`   ${2 * pictures.size} queries, ${matched} matches`)
  if (matched > 0) broken.push(`${matched} queries matched after the withdrawal`)

  return [...broken, ...(await lookForRemains(service, folder, pieces, Buffer.concat([...pictures.values()])))]
}

async function lookForRemains(service: Service, folder: string, pieces: Pieces, control: Buffer): Promise<string[]> {
  console.log('\n5. Is any piece of the pictures or their pixels left, as bytes, hex, base64 or JSON?')
  const inRedis = await pieces.countInRedis(service.redis)
  await service.stop()
  const counts = {
    'Redis keys and values': inRedis,
    'files of data and temporary folders': await pieces.countInFolder(folder),
    'all that was logged': pieces.countIn(service.output()),
  }
  for (const [place, found] of Object.entries(counts)) console.log(`   ${place.padEnd(38)}${found} found`)
  const finds = pieces.countIn(control) > 0 // otherwise finding nothing elsewhere would prove nothing
  return [
    ...Object.entries(counts).flatMap(([place, found]) => (found > 0 ? [`${found} pieces of pictures in ${place}`] : [])),
    ...(finds ? [] : ['the search does not find what is there']),
  ]
}

async function main(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'tabir-demo-'))
  console.log('Starting a Tabir of its own: Redis, api and workers, all their data in a temporary folder.')
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => reject(new Error('interrupted')))
  })
  const service = startService(folder, process.env)
  try {
    const broken = await Promise.race([interrupted, service.then((started) => show(started, folder))])
    console.log(broken.length === 0 ? '\nAll as promised.' : `\nNot as promised:\n  ${broken.join('\n  ')}`)
    return broken.length === 0 ? 0 : 1
  } catch (error) {
    console.error(messageOf(error))
    return 1
  } finally {
    await service.then((started) => started.stop()).catch(() => {}) // a service that did not start has stopped itself
    await rm(folder, { recursive: true, force: true })
  }
}

process.exit(await main())
