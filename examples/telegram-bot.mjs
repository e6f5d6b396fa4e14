// A bot that checks photographs posted to the groups it moderates, and takes known ones away. Plain Bot API, nothing kept.
//
//   TABIR_URL=… TABIR_API_KEY=… TELEGRAM_TOKEN=… node examples/telegram-bot.mjs
//
// It has to be an administrator of the group, with the right to delete messages. Only `exact` and `strong` matches are deleted; for the others the
// administrators of the group are asked to look, without the picture being sent anywhere.

import { tabirClient } from 'tabir/client'
import { pixelsOf } from './pixels.mjs'

const api = process.env.TELEGRAM_API ?? 'https://api.telegram.org'
const token = process.env.TELEGRAM_TOKEN
const tabir = tabirClient({ url: process.env.TABIR_URL, key: process.env.TABIR_API_KEY })
const POLL_S = 50
const MOST_BYTES = 20 << 20
const AGAIN_AFTER_MS = 3000

for (let offset = 0; ; ) {
  try {
    for (const update of await telegram('getUpdates', {
      offset,
      timeout: POLL_S,
      allowed_updates: ['message', 'edited_message'],
    })) {
      offset = update.update_id + 1
      const message = update.message ?? update.edited_message
      const file = pictureIn(message)
      if (file !== undefined) await check(message, file).catch(() => console.error('a picture could not be checked'))
    }
  } catch {
    console.error('Telegram cannot be reached')
    await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS))
  }
}

/** The largest of the sizes of a photograph, or a picture that was sent as a file. */
function pictureIn(message) {
  if (message?.photo?.length > 0) return message.photo.at(-1).file_id
  return message?.document?.mime_type?.startsWith('image/') ? message.document.file_id : undefined
}

async function check({ chat, message_id }, fileId) {
  const { file_path } = await telegram('getFile', { file_id: fileId })
  const response = await fetch(`${api}/file/bot${token}/${file_path}`, { signal: AbortSignal.timeout(30_000) })
  const bytes = Buffer.from(await response.arrayBuffer())
  if (!response.ok || bytes.length > MOST_BYTES) throw new Error('no file')
  const { matches = [] } = await tabir.matchPixels(await pixelsOf(bytes))
  bytes.fill(0)
  const [nearest] = matches.filter(({ disputed }) => !disputed)
  if (nearest === undefined) return
  if (nearest.grade === 'exact' || nearest.grade === 'strong') {
    await telegram('deleteMessage', { chat_id: chat.id, message_id })
    await telegram('sendMessage', {
      chat_id: chat.id,
      text: 'A picture was removed: it is of somebody who does not want it passed on.',
    })
    await tabir.call('giveFeedback', { params: { matchId: nearest.matchId }, body: { verdict: 'blocked' } }).catch(() => {})
    return
  }
  for (const { user } of await telegram('getChatAdministrators', { chat_id: chat.id }))
    if (!user.is_bot)
      await telegram('sendMessage', {
        chat_id: user.id,
        text: `Please look at message ${message_id} in ${chat.title}.`,
      }).catch(() => {}) // who never wrote to the bot cannot be written to
}

async function telegram(method, parameters) {
  const response = await fetch(`${api}/bot${token}/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(parameters),
    signal: AbortSignal.timeout((POLL_S + 10) * 1000),
  })
  const { ok, result } = await response.json()
  if (!ok) throw new Error(method)
  return result
}
