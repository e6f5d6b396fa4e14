// The requests of the mixed load, and how each answer is checked: matches by hash, matches by picture, writes, and people who submit a picture.

import sharp from 'sharp'
import { formatHash } from '../../dist/packages/hash/src/hash256.js'
import { json, openConnection, requestBytes } from '../http/connection.mjs'
import { isRightAnswer, makeQueries, matchBody, strangerOf } from '../http/queries.mjs'
import { largePicture } from '../pictures.mjs'
import { below, sfc32 } from '../search/random.mjs'
import { BANK } from '../service.mjs'

/** Shares of a hundred requests. `person` has its own rate. */
export const SHARES = { hash: 90, picture: 8, write: 2 }
export const KINDS = [...Object.keys(SHARES), 'person']

const QUERIES = 4000
const PICTURES = 12
/** One case alone takes 100 requests a second (`LIMITS.case`), and all of them several hundred. */
const CASES = 32
const BOUNDARY = 'picture-boundary'
const EXACT = Buffer.from('"grade":"exact"')
const NO_MATCH = Buffer.from('"matches":[]')

/**
 * Opens cases, registers every other picture in them, and makes requests beforehand.
 *
 * @returns for each kind a function that gives the next request of it: `{ bytes, isRight(answer) }`
 */
export async function makeMix({ port, key, rows }) {
  const hashes = makeQueries(rows, QUERIES, true).map((query) => ({
    bytes: requestBytes('POST', '/v1/match', key, matchBody([query], true)),
    isRight: (answer) => isRightAnswer(answer, query),
  }))
  // Before the connection is opened: an api closes one that is idle for as long as this takes on a busy machine.
  const pictures = []
  for (let seed = 1; seed <= PICTURES; seed++)
    pictures.push(
      formOf(
        await sharp(await largePicture(seed))
          .resize(1280, 960)
          .jpeg({ quality: 85 })
          .toBuffer(),
      ),
    )
  const connection = await openConnection(port)
  const cases = []
  for (let i = 0; i < CASES; i++)
    cases.push(await json(connection, requestBytes('POST', '/v1/cases', 'none', '{"adult":true}'), 201))
  const handIn = (number, form) =>
    post(`/v1/cases/${cases[number % CASES].caseNumber}/images`, cases[number % CASES].token, form)
  const forms = []
  for (const [i, form] of pictures.entries()) {
    const isRegistered = i % 2 === 1
    if (isRegistered) await json(connection, handIn(0, form), 201)
    forms.push({
      bytes: post('/v1/match/images', key, form),
      isRight: ({ status, body }) => status === 200 && body.includes(isRegistered ? EXACT : NO_MATCH),
      form,
    })
  }
  connection.close()
  const inOrder = (all) => {
    let next = 0
    return () => all[next++ % all.length]
  }
  let people = 0
  return {
    hash: inOrder(hashes),
    picture: inOrder(forms),
    write: writes(key, cases),
    // A registered picture, so that the case does not grow.
    person: () => ({
      bytes: handIn(people, forms[(2 * people++ + 1) % PICTURES].form),
      isRight: ({ status }) => status === 201,
    }),
  }
}

/** In equal numbers: a signal into a bank, one into a case, and a bank signal out again, so that the index keeps its size. */
function writes(key, cases) {
  const signalIds = []
  let made = 0
  const signal = () => `[{"type":"pdq","quality":100,"hash":"${formatHash(strangerOf(made++))}"}]`
  const intoBank = () => ({
    bytes: requestBytes('POST', `/v1/banks/${BANK}/signals`, key, `{"signals":${signal()}}`),
    isRight({ status, body }) {
      const signalId = /"signalId":"([^"]+)"/.exec(body.toString())?.[1]
      if (signalId !== undefined) signalIds.push(signalId)
      return status === 201
    },
  })
  let turn = 0
  const intoCase = () => {
    const { caseNumber, token } = cases[Math.floor(turn / 3) % CASES]
    const body = `{"images":[{"signals":${signal()}}]}`
    return {
      bytes: requestBytes('POST', `/v1/cases/${caseNumber}/hashes`, token, body),
      isRight: ({ status }) => status === 201,
    }
  }
  const out = (signalId) => ({
    bytes: requestBytes('DELETE', `/v1/banks/${BANK}/signals/${signalId}`, key),
    isRight: ({ status }) => status === 204,
  })
  return () => {
    turn++
    if (turn % 3 === 0) return intoCase()
    const signalId = turn % 3 === 1 ? undefined : signalIds.shift()
    return signalId === undefined ? intoBank() : out(signalId)
  }
}

/** @returns a function that draws a kind by its share. */
export function drawing(seed) {
  const next = sfc32(seed, 0)
  return () => {
    let left = below(next, 100)
    for (const [kind, share] of Object.entries(SHARES)) {
      if (left < share) return kind
      left -= share
    }
    throw new Error('shares add up to a hundred')
  }
}

/** @returns a function that gives how long until the next of so many a second, as they come by themselves. */
export function arrivals(perS, seed) {
  const next = sfc32(seed, 1)
  return () => (-Math.log(((next() >>> 0) + 1) / 2 ** 32) * 1000) / perS
}

function post(path, token, form) {
  const head = requestBytes('POST', path, token, form, `multipart/form-data; boundary=${BOUNDARY}`)
  return Buffer.concat([head.subarray(0, head.indexOf('\r\n\r\n') + 4), form])
}

function formOf(picture) {
  const head = `--${BOUNDARY}\r\ncontent-disposition: form-data; name="image"; filename="picture"\r\ncontent-type: image/jpeg\r\n\r\n`
  return Buffer.concat([Buffer.from(head), picture, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)])
}
