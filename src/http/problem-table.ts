// Status, title and advice of each problem.

import { MAX_SIDE_PX } from '../../packages/hash/src/pixels.js'
import { MAX_VIDEO_MS } from '../../packages/hash/src/video-frames.js'
import {
  MAX_DECODING_MB,
  MAX_DECODING_MS,
  MAX_JPEG_PIXELS,
  MAX_PROGRESSIVE_JPEG_PIXELS,
} from '../domain/media/decoding-limits.js'
import { decodedFormats } from '../domain/media/media-formats.js'
import { VIDEO_FORMATS } from '../domain/media/video-limits.js'
import { MAX_FRAMES_PER_SECOND } from '../domain/media/video-track.js'
import type { ProblemCode } from '../domain/problem.js'

export interface Row {
  readonly status: number
  readonly title: string
  /** What the caller can do about it, in one sentence. */
  readonly detail?: string
}

const DECODING_LIMITS = `No side may have more than ${MAX_SIDE_PX.toLocaleString('en')} pixels, and a JPEG file no more than ${MAX_JPEG_PIXELS / 1e6} megapixels, or ${MAX_PROGRESSIVE_JPEG_PIXELS / 1e6} if it is progressive. Decoding may take ${MAX_DECODING_MS / 1000} s and ${MAX_DECODING_MB.toLocaleString('en')} MB, and less for a small file.`

export const PROBLEMS: Readonly<Record<ProblemCode, Row>> = {
  'request-invalid': { status: 400, title: 'The request does not match the schema.' },
  'body-unreadable': { status: 400, title: 'The body is not what its content type says.' },
  'upload-incomplete': {
    status: 400,
    title: 'The upload broke off or is not well-formed multipart.',
    detail: 'No picture or video in it was kept. Of a file of hashes the lines before are imported. Send it again.',
  },
  'media-unsupported': {
    status: 415,
    title: 'This content type is not accepted.',
    get detail() {
      return `Pictures: ${decodedFormats()}, as multipart/form-data parts named image. Videos: ${VIDEO_FORMATS}, as a part named video. Everything else: application/json. No body may have a Content-Encoding.`
    },
  },
  'body-too-large': { status: 413, title: 'The body is larger than this route accepts.' },
  'too-many-images': {
    status: 413,
    title: 'The upload has more images or videos than one request may have.',
    detail: 'Send them in several requests.',
  },
  'image-missing': {
    status: 400,
    title: 'The upload has no part named image.',
    detail: 'It has to be a file, with a file name: curl -F image=@FILE.',
  },
  'image-empty': { status: 422, title: 'The image has no bytes.' },
  'image-too-large': {
    status: 413,
    title: 'The image file is larger than this server accepts.',
    detail: 'A smaller copy of the same picture protects as well.',
  },
  'image-too-many-pixels': {
    status: 422,
    title: 'Decoding the image would cost more than this server allows.',
    detail: `${DECODING_LIMITS} A smaller copy of the same picture protects as well.`,
  },
  'image-undecodable': {
    status: 422,
    title: 'The image is damaged or incomplete.',
    detail: 'Save it as JPEG or PNG again, and send the new file.',
  },
  'length-missing': {
    status: 411,
    title: 'The request does not say how long its body is.',
    detail: 'Videos are taken with a Content-Length only.',
  },
  'video-missing': {
    status: 400,
    title: 'The upload has no part named video, or the part has no bytes.',
    detail: 'It has to be a file, with a file name: curl -F video=@FILE.',
  },
  'video-file-too-large': {
    status: 413,
    title: 'The video file is larger than this server accepts.',
    detail: 'A smaller copy of the same video protects as well. Hashes of it may be sent instead.',
  },
  'video-undecodable': {
    status: 422,
    title: 'The video is damaged, incomplete, encrypted, or shows no picture.',
    detail: 'Save it as MP4 again, and send the new file.',
  },
  'video-too-long': {
    status: 422,
    title: 'The video is longer than this server accepts.',
    detail: `A video may last ${MAX_VIDEO_MS / 60_000} minutes and have ${MAX_FRAMES_PER_SECOND} pictures a second. Cut it into parts and send each.`,
  },
  'video-too-large': {
    status: 422,
    title: 'The picture of the video is larger than this server decodes.',
    detail: 'It may have up to 4096 × 2304 pixels. A smaller copy of the same video protects as well.',
  },
  'video-unavailable': {
    status: 501,
    title: 'This server cannot decode videos, because the program ffmpeg is not installed.',
    detail:
      'Videos can still be registered and matched by hashes. The operator installs it with: apt-get install ffmpeg, or names it in TABIR_FFMPEG.',
  },
  'quality-too-low': {
    status: 422,
    title: 'The picture or video is too plain to be recognised reliably.',
    detail:
      'It has too little detail: almost one colour, very small, very dark or very blurred. Use a larger or sharper version if there is one.',
  },
  'image-too-simple': {
    status: 422,
    title: 'The picture is a letter, an icon or a sign in a few flat colours.',
    detail:
      'Too many other pictures look like it and would match. Photographs and screenshots of such pictures can be registered.',
  },
  'hash-improbable': {
    status: 422,
    title: 'No picture that can be registered has this hash.',
    detail:
      'It is that of an empty file, of no picture, or of bars and boxes. The program that computed it may have failed: hash the picture again.',
  },
  'known-harmless': {
    status: 422,
    title: 'This picture or video was judged harmless, so it cannot be registered.',
    detail:
      'For a withdrawn one only a keyed digest is kept, for 180 days from the decision, and no hash. If the decision is wrong, appeal: POST /v1/cases/{caseNumber}/appeals with the same hashes. The operator sees the appeal and can lift the block at once.',
  },
  'extended-protection-off': {
    status: 422,
    title: 'Details of pictures are not kept here, or not for this case.',
    detail: 'Send it without details. The service must offer extended protection, and it is chosen when the case is opened.',
  },
  'minor-declared': {
    status: 422,
    title: 'Pictures and videos of people under 18 are taken by the hotlines that may lawfully do so, never here.',
    detail: 'See hotlines. They help without asking for your name, and nobody will blame you.',
  },
  'consent-needed': {
    status: 422,
    title: 'A case is opened with the version of the privacy notice that the person agreed to.',
    detail:
      'Show her the facts of GET /v1/privacy. Send its version as consentVersion once she agrees. It changes with the facts.',
  },
  'key-missing': { status: 401, title: 'An API key is required, as Authorization: Bearer.' },
  'key-invalid': {
    status: 401,
    title: 'This API key is not valid.',
    detail:
      'It is mistyped, was revoked, has expired, belongs to another service, or may not be used from this address. Ask the operator for a key.',
  },
  'scope-missing': {
    status: 403,
    title: 'This API key does not have the required scope.',
    detail: 'The field scope names it. The operator can create a key that has it.',
  },
  'key-suspended': {
    status: 403,
    title: 'This API key is suspended.',
    detail: 'The operator can lift the suspension.',
  },
  'token-missing': { status: 401, title: 'The token of the case is required, as Authorization: Bearer.' },
  'case-unknown': {
    status: 404,
    title: 'There is no such case, or the PIN or token does not open it.',
    detail: 'After too many wrong PINs the PIN is locked: use the recovery code.',
  },
  'case-withdrawn': {
    status: 410,
    title: 'The case was withdrawn: its images were erased, and it takes no more.',
    detail: 'Open a new case.',
  },
  'case-expired': {
    status: 410,
    title: 'The case has expired: its images were erased, and it takes no more.',
    detail: 'Open a new case.',
  },
  'case-not-ended': { status: 409, title: 'The case has not ended, so there is no receipt yet.' },
  'not-assisted': { status: 409, title: 'The case already belongs to its submitter: there is nothing to hand over.' },
  'handover-needed': { status: 409, title: 'The case has no PIN until it is handed over.' },
  'handed-over': {
    status: 409,
    title: 'The case was handed over and its PIN has been used, so the PIN is not shown again.',
  },
  'recovery-code-needed': {
    status: 403,
    title: 'This needs a token that was obtained with the recovery code.',
    detail: 'Get one with the code in place of the PIN: POST /v1/cases/{caseNumber}/tokens.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'This Idempotency-Key was used for another request.',
    detail: 'Use a new key for each request, and reuse it only to repeat the same request.',
  },
  'idempotency-key-busy': {
    status: 409,
    title: 'A request with this Idempotency-Key is in progress or has failed.',
    detail: 'Send it again.',
  },
  'bank-unknown': { status: 404, title: 'There is no such bank, or it is not yours.' },
  'key-unknown': { status: 404, title: 'There is no such API key.' },
  'bank-exists': { status: 409, title: 'The name of the bank is taken.' },
  'banks-full': { status: 409, title: 'The organisation has the maximum number of banks.', detail: 'Remove one.' },
  'organisation-unknown': { status: 422, title: 'There is no organisation of this name.' },
  'signal-unknown': { status: 404, title: 'There is no such signal, or it is in another bank.' },
  'import-unknown': {
    status: 404,
    title: 'There is no such import in this bank within the last 30 days.',
  },
  'exchange-unknown': { status: 404, title: 'There is no such exchange in the exchange file.' },
  'match-unknown': {
    status: 404,
    title: 'There is no such match, or the picture behind it was withdrawn.',
    detail: 'A match id is valid only for the organisation that received it.',
  },
  'feedback-conflict': {
    status: 409,
    title: 'The verdict about this match cannot change to this one.',
    detail: 'A decision can change to another decision, but not back to pending review.',
  },
  'dispute-settled': {
    status: 409,
    title: 'This signal was disputed for this reason before, and the dispute was rejected.',
    detail: 'A rejected dispute is final. You may dispute the signal for another reason.',
  },
  'dispute-not-open': { status: 409, title: 'There is no open dispute about this signal, or it was decided differently.' },
  'appeal-unneeded': {
    status: 409,
    title: 'This picture can be registered, so there is nothing to appeal.',
  },
  'appeal-unknown': { status: 404, title: 'There is no such appeal, or it was decided already.' },
  'block-unknown': { status: 404, title: 'There is no such block, or it has ended.' },
  'quarantine-conflict': { status: 409, title: 'The signal is not in quarantine.' },
  'signal-not-invalidated': {
    status: 409,
    title: 'No dispute about the signal was upheld, so there is nothing to reverse.',
  },
  'signal-invalidated': { status: 410, title: 'The signal was judged a false report and no longer matches.' },
  'account-suspended': {
    status: 403,
    title: 'Too many reports of this account were judged false, so it may not report any more.',
    detail: 'The operator can lift the suspension.',
  },
  'case-full': {
    status: 409,
    title: 'The case has the maximum number of images or hashes.',
    detail:
      'On a public service a case takes few images at first and more each day, or once an organisation attests it. All unattested cases share the room of a day for hashes.',
  },
  'quota-exceeded': {
    status: 429,
    title: 'The organisation has used up its daily quota of signals.',
    detail: 'Earlier signals were accepted. Continue after the time in Retry-After.',
  },
  'proof-of-work-required': {
    status: 428,
    title: 'A proof of work is required to open a case.',
    detail: 'Get one from /v1/cases/challenge, solve it, and send it once, in time, as proof.',
  },
  'notice-incomplete': {
    status: 422,
    title: 'The notice lacks something that one of the laws requires.',
    detail: 'See GET /v1/notices/laws. A contact is the name of an NGO that works with this service.',
  },
  'cursor-unknown': {
    status: 400,
    title: 'This cursor does not belong to this feed, these filters and this organisation.',
    detail: 'Start without a cursor: you get a new snapshot.',
  },
  'organisation-kind-forbidden': { status: 403, title: 'Organisations of this kind may not do this.' },
  'watch-unknown': { status: 404, title: 'There is no such watch, or it is not yours.' },
  'watches-full': {
    status: 409,
    title: 'The organisation would exceed the maximum number of watches.',
    detail: 'Nothing of this request was stored. Remove watches, or wait until some expire.',
  },
  'webhook-unknown': { status: 404, title: 'There is no such webhook, or it is not yours.' },
  'webhook-url-refused': {
    status: 422,
    title: 'The URL must be an https address on the public internet, without user and password.',
  },
  'webhooks-full': { status: 409, title: 'The organisation has the maximum number of webhooks.', detail: 'Remove one.' },
  'delivery-unknown': { status: 404, title: 'There is no such delivery, or it was deleted because of its age.' },
  'route-unknown': { status: 404, title: 'There is no such route.' },
  'method-not-allowed': {
    status: 405,
    title: 'This route does not support the method.',
    detail: 'See the header Allow.',
  },
  'rate-limited': { status: 429, title: 'Too many requests.' },
  overloaded: { status: 503, title: 'The server is overloaded.', detail: 'Retry after the time in Retry-After.' },
  'index-loading': { status: 503, title: 'The index is loading.' },
  'store-unavailable': { status: 503, title: 'The store is unavailable.' },
  'hashing-unavailable': {
    status: 503,
    title: 'Hashing is unavailable: no worker hashed the picture or video in time.',
    detail: 'Nothing of it was kept. Send it again.',
  },
  unexpected: { status: 500, title: 'An unexpected error occurred.' },
}
