// Status, title and advice of each problem.

import { DECODED_FORMATS } from '../domain/media/media-formats.js'
import type { ProblemCode } from '../domain/problem.js'

export interface Row {
  readonly status: number
  readonly title: string
  /** What the caller can do about it, in one sentence. */
  readonly detail?: string
}

export const PROBLEMS: Readonly<Record<ProblemCode, Row>> = {
  'request-invalid': { status: 400, title: 'The request does not match the schema.' },
  'body-unreadable': { status: 400, title: 'The body is not what its content type says.' },
  'upload-incomplete': {
    status: 400,
    title: 'The upload broke off or is not well-formed multipart.',
    detail: 'Nothing of it was kept. Send it again.',
  },
  'media-unsupported': {
    status: 415,
    title: 'This kind of content is not accepted here.',
    detail: `Pictures: ${DECODED_FORMATS}, as multipart/form-data parts named image. Everything else: application/json.`,
  },
  'body-too-large': { status: 413, title: 'The body is larger than this route accepts.' },
  'too-many-images': {
    status: 413,
    title: 'The upload has more images than one request may carry.',
    detail: 'Send them in several requests.',
  },
  'image-missing': { status: 400, title: 'The upload has no part named image.' },
  'image-empty': { status: 422, title: 'The image has no bytes.' },
  'image-too-large': {
    status: 413,
    title: 'The image file is larger than this server accepts.',
    detail: 'A smaller copy of the same picture protects as well.',
  },
  'image-too-many-pixels': {
    status: 422,
    title: 'The image has more than 50 million pixels.',
    detail: 'A smaller copy of the same picture protects as well.',
  },
  'image-undecodable': {
    status: 422,
    title: 'The image is damaged or incomplete.',
    detail: 'Open it, save it anew as JPEG or PNG, and send that.',
  },
  'quality-too-low': {
    status: 422,
    title: 'The picture is too plain to be recognised reliably.',
    detail:
      'It has too little detail: almost one colour, very small, very dark or very blurred. Use a larger or sharper version if there is one.',
  },
  'image-too-simple': {
    status: 422,
    title: 'The picture is a letter, an icon or a sign in a few flat colours.',
    detail:
      'Too many others look like it, and they would be taken for it. Photographs and screenshots of them can be registered.',
  },
  'known-harmless': {
    status: 422,
    title: 'This picture was judged harmless, so it cannot be registered.',
    detail:
      'Of a picture that was withdrawn a keyed digest is kept for 180 days from the decision, and no hash. If the decision is wrong, appeal: POST /v1/cases/{caseNumber}/appeals with the same hashes. Whoever runs this service sees the appeal and can lift the block at once.',
  },
  'extended-protection-off': {
    status: 422,
    title: 'Details of pictures are not kept here, or not for this case.',
    detail:
      'Send it without them. Extended protection has to be offered by the service, and chosen when the case is opened.',
  },
  'minor-declared': {
    status: 422,
    title: 'Pictures of people under 18 are taken by the hotlines that may lawfully do so, never here.',
    detail: 'See hotlines. They help without asking for your name, and nobody will blame you.',
  },
  'key-missing': { status: 401, title: 'An API key is needed, as Authorization: Bearer.' },
  'key-invalid': {
    status: 401,
    title: 'This API key is not valid.',
    detail:
      'It is mistyped, was revoked, has expired, belongs to another service, or may not be used from this address. Whoever runs this service makes keys.',
  },
  'scope-missing': {
    status: 403,
    title: 'This API key does not have the scope that is needed.',
    detail: 'scope names it. Whoever runs this service can make a key that has it.',
  },
  'key-suspended': {
    status: 403,
    title: 'This API key is suspended, because it was used to search for what is stored.',
    detail: 'Whoever runs this service can lift that.',
  },
  'token-missing': { status: 401, title: 'The token of the case is needed, as Authorization: Bearer.' },
  'case-unknown': {
    status: 404,
    title: 'There is no such case, or the PIN or token does not open it.',
    detail: 'After too many wrong PINs no PIN opens a case any more: use the recovery code in its place.',
  },
  'case-withdrawn': {
    status: 410,
    title: 'The case was withdrawn: its images were erased, and it takes no more.',
    detail: 'Open a new case.',
  },
  'case-expired': {
    status: 410,
    title: 'The time of the case is over: its images were erased, and it takes no more.',
    detail: 'Open a new case.',
  },
  'case-not-ended': { status: 409, title: 'The case has not ended, so there is no receipt yet.' },
  'not-assisted': { status: 409, title: 'The case is its submitter’s own already: there is nothing to hand over.' },
  'handover-needed': { status: 409, title: 'A case that is not handed over has no PIN yet.' },
  'handed-over': { status: 409, title: 'The case was handed over, and its PIN has been used: it is not shown again.' },
  'idempotency-key-reused': {
    status: 422,
    title: 'This Idempotency-Key was used for another request.',
    detail: 'Make a new one for each request, and use it again only to send the same one again.',
  },
  'idempotency-key-busy': {
    status: 409,
    title: 'A request with this Idempotency-Key is under way or has failed.',
    detail: 'Send it again.',
  },
  'bank-unknown': { status: 404, title: 'There is no such bank, or it is not yours.' },
  'key-unknown': { status: 404, title: 'There is no such API key.' },
  'bank-exists': { status: 409, title: 'The name of the bank is taken.' },
  'banks-full': { status: 409, title: 'The organisation has as many banks as it may have.', detail: 'Remove one.' },
  'organisation-unknown': { status: 422, title: 'There is no organisation of this name.' },
  'signal-unknown': { status: 404, title: 'There is no such signal, or it is in another bank.' },
  'import-unknown': {
    status: 404,
    title: 'There is no such import, or it was into another bank, or longer than 30 days ago.',
  },
  'exchange-unknown': { status: 404, title: 'There is no such exchange in the file of exchanges.' },
  'match-unknown': {
    status: 404,
    title: 'There is no such match, or the picture behind it was withdrawn.',
    detail: 'A match id belongs to the organisation that was given it.',
  },
  'feedback-conflict': {
    status: 409,
    title: 'What was decided about this match cannot become that.',
    detail: 'A decision may be changed into another decision, and not back into a review that is still to come.',
  },
  'dispute-settled': {
    status: 409,
    title: 'This signal was disputed for this reason before, and the dispute was rejected.',
    detail: 'A dispute is decided once for all. Another reason may still be given.',
  },
  'dispute-not-open': { status: 409, title: 'There is no open dispute about this signal, or it was decided otherwise.' },
  'appeal-unneeded': {
    status: 409,
    title: 'Nothing keeps this picture from being registered, so there is nothing to appeal.',
  },
  'appeal-unknown': { status: 404, title: 'There is no such appeal, or it was decided.' },
  'block-unknown': { status: 404, title: 'There is no such block, or it has ended.' },
  'quarantine-conflict': { status: 409, title: 'The signal is not in quarantine.' },
  'signal-not-invalidated': {
    status: 409,
    title: 'No dispute about the signal was upheld, so there is nothing to take back.',
  },
  'signal-invalidated': { status: 410, title: 'The signal was judged to be a false report and matches nothing any more.' },
  'account-suspended': {
    status: 403,
    title: 'Reports of this account were judged false too often, so it takes no more of them.',
    detail: 'Whoever runs this service can lift that.',
  },
  'case-full': {
    status: 409,
    title: 'The case has as many images as one case may have.',
    detail: 'Where anybody may open a case, it takes few at first and more each day, or once an organisation attests it.',
  },
  'quota-exceeded': {
    status: 429,
    title: 'The organisation has used up its daily quota of signals.',
    detail: 'What was handed in before counts. Go on when Retry-After says.',
  },
  'proof-of-work-required': {
    status: 428,
    title: 'A proof of work is required to open a case.',
    detail: 'Get one from /v1/cases/challenge, solve it, and send it once, in time, as proof.',
  },
  'notice-incomplete': {
    status: 422,
    title: 'The notice lacks what one of the laws asks for.',
    detail: 'See GET /v1/notices/laws. A contact is the name of an NGO that works with this service.',
  },
  'cursor-unknown': {
    status: 400,
    title: 'This cursor is not one of this feed, these filters and this organisation.',
    detail: 'Begin without one: the first page is then the beginning of a snapshot.',
  },
  'organisation-kind-forbidden': { status: 403, title: 'Organisations of this kind may not do this.' },
  'watch-unknown': { status: 404, title: 'There is no such watch, or it is not yours.' },
  'watches-full': {
    status: 409,
    title: 'The organisation would watch for more than it may.',
    detail: 'Nothing of this request was taken. Remove some, or let them end.',
  },
  'webhook-unknown': { status: 404, title: 'There is no such webhook, or it is not yours.' },
  'webhook-url-refused': {
    status: 422,
    title: 'A webhook goes to an https address on the public internet, without user and password.',
  },
  'webhooks-full': { status: 409, title: 'The organisation has as many webhooks as it may have.', detail: 'Remove one.' },
  'delivery-unknown': { status: 404, title: 'There is no such delivery, or it is too long ago.' },
  'route-unknown': { status: 404, title: 'There is no such route.' },
  'method-not-allowed': {
    status: 405,
    title: 'There is such a route, but not with this method.',
    detail: 'Allow names those that it has.',
  },
  'rate-limited': { status: 429, title: 'Too many requests.' },
  overloaded: { status: 503, title: 'The server is overloaded.', detail: 'Retry after the time in Retry-After.' },
  'index-loading': { status: 503, title: 'The index is loading.' },
  'store-unavailable': { status: 503, title: 'The store is unavailable.' },
  'hashing-unavailable': {
    status: 503,
    title: 'Hashing is unavailable: no worker hashed the image in time.',
    detail: 'Nothing of it was kept. Send it again.',
  },
  unexpected: { status: 500, title: 'An unexpected error occurred.' },
}
