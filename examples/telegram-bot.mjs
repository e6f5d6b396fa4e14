// A bot that checks photographs and videos posted to the groups and channels it moderates, and takes known ones away. Plain Bot API.
//
//   TABIR_URL=… TABIR_API_KEY=… TELEGRAM_TOKEN=… node examples/telegram-bot.mjs [STATE-FILE]
//
// It has to be an administrator, with the right to delete messages. Only `exact` and `strong` matches are deleted; for the others the
// administrators are asked to look, and told at which moment of a video. Photographs are hashed here; videos are sent to Tabir, which decodes them in a
// sandbox and keeps nothing of them. What could not be done is tried again for a day, also after a start
// of the bot: the file, telegram-bot.json unless another one is named, has numbers of chats and messages, and no picture.

import { readFile, rename, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { tabirClient } from '@tabir/client'
import { pixelsOf } from './pixels.mjs'

const api = process.env.TELEGRAM_API ?? 'https://api.telegram.org'
const token = process.env.TELEGRAM_TOKEN
const tabir = tabirClient({ url: process.env.TABIR_URL, key: process.env.TABIR_API_KEY, maxTries: 1 }) // the bot tries again itself
const stateFile = process.argv[2] ?? 'telegram-bot.json'
const KINDS = ['message', 'edited_message', 'channel_post', 'edited_channel_post']
const POLL_S = 50
/** Telegram gives bots no larger files. */
const MAX_BYTES = 20 << 20
const VIDEO_TIMEOUT_MS = 300_000
/** Beyond it no more are asked for: Telegram keeps them for a day. */
const MAX_WAITING = 1000
const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 600_000
const TRIED_FOR_MS = 86_400_000

const state = await readFile(stateFile, 'utf8').then(JSON.parse, (error) => {
  if (error.code !== 'ENOENT') throw error
  return { offset: 0, jobs: [] }
})

/** What has come is on disk before Telegram is told so, by the next offset. */
async function receive() {
  if (state.jobs.length >= MAX_WAITING) return await sleep(FIRST_WAIT_MS)
  const nextMs = Math.min(...state.jobs.map(({ atMs }) => atMs)) - Date.now()
  const timeout = Math.max(0, Math.min(POLL_S, Math.ceil(nextMs / 1000)))
  for (const update of await telegram('getUpdates', { offset: state.offset, timeout, allowed_updates: KINDS })) {
    state.offset = update.update_id + 1
    const message = KINDS.map((kind) => update[kind]).find((each) => each !== undefined)
    const file = fileIn(message)
    if (file === undefined) continue
    const { id, title = '' } = message.chat
    const step = { do: 'check', ...file }
    state.jobs.push({
      chat: { id, title },
      message: message.message_id,
      steps: [step],
      tries: 0,
      atMs: 0,
      sinceMs: Date.now(),
    })
  }
  await save()
}

/** The largest of the sizes of a photograph; a video, an animation (which Telegram makes a video), a round video; or one of these sent as a file. */
function fileIn(message) {
  if (message?.photo?.length > 0) return { fileId: message.photo.at(-1).file_id }
  const video = message?.video ?? message?.animation ?? message?.video_note
  if (video !== undefined) return { fileId: video.file_id, isVideo: true }
  const { file_id: fileId, mime_type: type = '' } = message?.document ?? {}
  return /^(image|video)\//.test(type) ? { fileId, isVideo: type.startsWith('video/') } : undefined
}

/** One step after the other, each until it is done: what was done is not done again, and one that fails keeps none of the others. */
async function work(job) {
  const left = []
  let waitMs = Math.min(FIRST_WAIT_MS * 2 ** job.tries, LONGEST_WAIT_MS)
  for (const step of job.steps) {
    try {
      left.push(...((await STEPS[step.do](job, step)) ?? []))
    } catch (error) {
      console.error(`${step.do} of message ${job.message} in ${job.chat.title || job.chat.id}: ${error.message}`)
      if (error.isFinal !== true) left.push(step)
      waitMs = Math.max(waitMs, error.retryAfterMs ?? 0)
    }
  }
  job.steps = left
  job.tries++
  // What a check has found out is to be done at once.
  job.atMs = left.some((step) => step.isNew) ? 0 : Date.now() + waitMs
  for (const step of left) delete step.isNew
  const isOver = left.length > 0 && Date.now() - job.sinceMs > TRIED_FOR_MS
  if (isOver) console.error(`message ${job.message} in ${job.chat.title || job.chat.id} is given up`)
  if (isOver || left.length === 0) state.jobs.splice(state.jobs.indexOf(job), 1)
  await save()
}

/** What is done, in this order. @returns what is to be done then. */
const STEPS = {
  async check(_job, { fileId, isVideo = false }) {
    const file = await download(fileId)
    const matches = await (isVideo ? matchesOfVideo(file) : matchesOfPicture(file))
    const [nearest] = matches.filter(({ disputed }) => !disputed)
    if (nearest === undefined) return
    const isSure = nearest.grade === 'exact' || nearest.grade === 'strong'
    const what = isVideo ? { moment: momentOf(nearest) } : {}
    const steps = isSure
      ? [{ do: 'delete' }, { do: 'report', matchId: nearest.matchId }, { do: 'notice', ...what }]
      : [{ do: 'ask', ...what }]
    return steps.map((step) => ({ ...step, isNew: true }))
  },
  async delete({ chat, message }) {
    await telegram('deleteMessage', { chat_id: chat.id, message_id: message }).catch((error) => {
      if (/message to delete not found/.test(error.message)) return // somebody was faster
      throw error.isForbidden
        ? new Failure('it may not: give the bot the administrator right “Delete messages” there')
        : error
    })
  },
  /** The scope `feedback`. She learns that it works. `blocked` is for a person who looked: only that raises a tier. */
  async report(_job, { matchId }) {
    await tabir.call('giveFeedback', { params: { matchId }, body: { verdict: 'auto-blocked' } }).catch((error) => {
      throw error.code === 'scope-missing' ? new Failure('the API key lacks the scope feedback', { isFinal: true }) : error
    })
  },
  async notice({ chat }, { moment }) {
    const what = moment === undefined ? 'A picture' : `A video (${moment})`
    const text = `${what} was removed: it is of somebody who does not want it shared.`
    await telegram('sendMessage', { chat_id: chat.id, text }).catch((error) => {
      const right = 'give the bot the right “Send messages”, in a channel “Post messages”'
      throw error.isForbidden ? new Failure(`it may not: ${right}`, { isFinal: true }) : error
    })
  },
  async ask({ chat, message }, { moment }) {
    const text = `Please look at message ${message} in ${chat.title}${moment === undefined ? '' : `, ${moment} of the video`}.`
    const people = (await telegram('getChatAdministrators', { chat_id: chat.id })).filter(({ user }) => !user.is_bot)
    const told = await Promise.allSettled(people.map(({ user }) => telegram('sendMessage', { chat_id: user.id, text })))
    // Who never wrote to the bot cannot be written to.
    if (!told.some(({ status }) => status === 'fulfilled'))
      throw new Failure('no administrator can be written to: one of them has to start a chat with the bot', {
        isFinal: true,
      })
  },
}

/** Its message is for the operator. `isFinal`: another try would come to the same. */
class Failure extends Error {
  constructor(message, more = {}) {
    super(message)
    Object.assign(this, more)
  }
}

async function matchesOfPicture(bytes) {
  const picture = await pixelsOf(bytes).catch(() => {
    throw new Failure('is no picture that can be opened', { isFinal: true })
  })
  return (await tabir.matchPixels(picture.pixels, { aspect: picture.aspect })).matches ?? []
}

async function matchesOfVideo(bytes) {
  const body = new FormData()
  body.append('video', new Blob([bytes]), 'video')
  const headers = { authorization: `Bearer ${process.env.TABIR_API_KEY}` }
  const response = await fetch(`${process.env.TABIR_URL.replace(/\/+$/, '')}/v1/match/videos`, {
    ...{ method: 'POST', headers, body, redirect: 'manual' }, // another server would get the video
    signal: AbortSignal.timeout(VIDEO_TIMEOUT_MS),
  }).catch(() => {
    throw new Failure('no answer about a video')
  })
  const answer = await response.json().catch(() => ({}))
  if (response.ok) return answer.results?.[0]?.matches ?? []
  throw new Failure(`about a video: ${answer.code ?? `status ${response.status}`}`, {
    isFinal: FINAL.includes(response.status),
    retryAfterMs: 1000 * Number(response.headers.get('retry-after') ?? 0),
  })
}

/** Statuses about the video itself: it is too large, of another kind, damaged, too long or too plain. All others may pass. */
const FINAL = [400, 413, 415, 422]

/** Where in the video it is: the longest part that agrees with a registered video, or when a registered picture is shown. */
function momentOf({ segments: [longest] = [], queryMs = 0 }) {
  if (longest === undefined) return `at ${clock(queryMs)}`
  return `${clock(longest.query.fromMs)} to ${clock(longest.query.toMs)}`
}

function clock(ms) {
  const seconds = Math.floor(ms / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

async function download(fileId) {
  const { file_path } = await telegram('getFile', { file_id: fileId })
  const response = await fetch(`${api}/file/bot${token}/${file_path}`, { signal: AbortSignal.timeout(30_000) }).catch(() => {
    throw new Failure('the file cannot be fetched')
  })
  if (!response.ok) throw new Failure(`the file cannot be fetched: status ${response.status}`)
  const bytes = Buffer.from(await response.arrayBuffer())
  if (bytes.length > MAX_BYTES) throw new Failure('the file is too large', { isFinal: true })
  return bytes
}

/** Telegram says how long to wait when it has had enough; asking sooner makes that longer. No word of an error has the token, as addresses have. */
async function telegram(method, parameters) {
  const response = await fetch(`${api}/bot${token}/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(parameters),
    signal: AbortSignal.timeout((POLL_S + 10) * 1000),
  }).catch(() => {
    throw new Failure('no answer')
  })
  const answer = await response.json().catch(() => ({ ok: false, description: `status ${response.status}` }))
  if (answer.ok) return answer.result
  const { description = '', error_code: code, parameters: { retry_after: retryAfterS } = {} } = answer
  throw new Failure(`${method}: ${description}`, {
    isForbidden:
      code === 403 || /can't be deleted|not enough rights|have no rights|need administrator rights/i.test(description),
    ...(retryAfterS > 0 && { retryAfterMs: retryAfterS * 1000 }),
  })
}

async function save() {
  await writeFile(`${stateFile}.new`, JSON.stringify(state), { mode: 0o600, flush: true })
  await rename(`${stateFile}.new`, stateFile)
}

for (;;) {
  try {
    await receive()
  } catch (error) {
    console.error(`Telegram cannot be reached: ${error.message}`)
    await sleep(error.retryAfterMs ?? FIRST_WAIT_MS)
  }
  for (const job of state.jobs.filter(({ atMs }) => atMs <= Date.now())) await work(job)
}
