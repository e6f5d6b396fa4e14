// Texts of the case report for police and regulators, in each supported language.

import type { Category, Tier } from '../matching/signal.js'
import type { Recognition } from '../trust/recognition.js'
import type { CaseState } from './case.js'
import type { CaseEventKind } from './case-event.js'

/**
 * A count and its noun.
 * @param count a number, or for platforms a range such as `3-5`.
 */
export function counted(count: number | string, { one, other }: Counted): string {
  return `${count} ${String(count) === '1' ? one : other}`
}

export const REPORT_LANGUAGES = ['en', 'ms'] as const
export type ReportLanguage = (typeof REPORT_LANGUAGES)[number]

export const REPORT_FORMATS = ['json', 'pdf'] as const
export type ReportFormat = (typeof REPORT_FORMATS)[number]

/** The noun after the number 1, and after any other. */
export interface Counted {
  readonly one: string
  readonly other: string
}

export interface ReportWords {
  readonly title: string
  readonly intro: string
  readonly caseNumber: string
  readonly state: string
  readonly openedAt: string
  readonly expiresAt: string
  readonly endedAt: string
  readonly madeAt: string
  readonly consent: string
  readonly complaint: string
  readonly yes: string
  readonly no: string
  readonly registered: string
  readonly images: Counted
  readonly videos: Counted
  readonly imagesOrVideos: Counted
  /** What a registered one is. */
  readonly kind: string
  readonly image: string
  readonly video: string
  /** Hashes of the images. */
  readonly hashes: Counted
  readonly noImages: string
  readonly reference: string
  readonly time: string
  readonly category: string
  readonly noCategory: string
  readonly tier: string
  /** What the lowest tier says, and does not. */
  readonly tierText: string
  readonly timeLine: string
  readonly event: string
  readonly count: string
  /** Of a platform's verdict that it has changed. */
  readonly changedLater: string
  readonly platforms: Counted
  readonly receipt: string
  readonly receiptText: string
  readonly signature: string
  readonly signatureText: string
  readonly page: string
  readonly states: Readonly<Record<CaseState, string>>
  readonly categories: Readonly<Record<Category, string>>
  readonly tiers: Readonly<Record<Tier, string>>
  readonly recognitions: Readonly<Record<Exclude<Recognition, 'full'>, string>>
  readonly events: Readonly<Record<CaseEventKind, string>>
}

export const REPORT_WORDS: Readonly<Record<ReportLanguage, ReportWords>> = {
  en: {
    title: 'Report on a case of intimate images or videos shared without consent',
    intro:
      'Tabir recognises pictures and videos by hashes and keeps none of them. This report holds no picture, no video and no hash. The references below stand for registered pictures and videos; nothing of what these show can be found out from them. All times are UTC.',
    caseNumber: 'Case number',
    state: 'State',
    openedAt: 'Opened',
    expiresAt: 'Expires',
    endedAt: 'Ended',
    madeAt: 'This report was made',
    consent: 'Opened by an organisation, with consent of',
    complaint: 'Number of a complaint noted',
    yes: 'yes',
    no: 'no',
    registered: 'What is registered',
    images: { one: 'image', other: 'images' },
    videos: { one: 'video', other: 'videos' },
    imagesOrVideos: { one: 'image or video', other: 'images or videos' },
    kind: 'Kind',
    image: 'image',
    video: 'video',
    hashes: { one: 'hash made of them', other: 'hashes made of them' },
    noImages: 'No image or video is registered now.',
    reference: 'Reference',
    time: 'Time',
    category: 'Category',
    noCategory: 'not stated',
    tier: 'Standing',
    tierText: 'Reported: registered by the person who opened this case. Nobody checked who that is.',
    timeLine: 'What happened',
    event: 'Event',
    count: 'Number',
    changedLater: 'changed later',
    platforms: { one: 'platform', other: 'platforms' },
    receipt: 'Receipt',
    receiptText:
      'The case has ended. The receipt in the attached document says what was erased, and what may remain where, until when.',
    signature: 'Signature',
    signatureText:
      'The document report.json, attached to this PDF, says the same as these pages and is signed with Ed25519. Save it and check it with: tabir receipts verify report.json. The public key is served at /v1/receipts/key.',
    page: 'Page',
    states: { open: 'open', active: 'active', withdrawn: 'withdrawn', erased: 'erased', expired: 'expired' },
    categories: {
      nude: 'nude',
      'underwear-or-swimwear': 'underwear or swimwear',
      'culturally-intimate': 'intimate in the culture of the person shown',
      'sexual-act': 'sexual act',
      synthetic: 'made with AI (a deepfake)',
      composite: 'composite',
    },
    tiers: {
      'self-reported': 'reported, not checked',
      'ngo-attested': 'attested by an organisation',
      'platform-confirmed': 'confirmed by platforms',
      verified: 'verified',
    },
    recognitions: {
      decoration: 'some of its parts are not compared',
      narrowed: 'only nearly unchanged copies are recognised',
      listed: 'listed as harmless: copies may be missed',
      paused: 'not recognised: paused by its owner',
      held: 'not recognised: an operator is checking it',
      judged: 'not recognised: a dispute was upheld',
      mistake: 'not recognised: added by mistake, as answered',
    },
    events: {
      opened: 'case opened',
      registered: 'images or videos registered',
      matched: 'found on platforms',
      blocked: 'blocked by platforms',
      'not-blocked': 'not blocked by platforms',
      disputed: 'images or videos disputed',
      'dispute-decided': 'disputes decided',
      'dispute-dropped': 'disputes dropped by those who raised them',
      renewed: 'case renewed',
      attested: 'images or videos attested by an organisation',
      'handed-over': 'case handed over to the person in the picture',
      'reading-ended': 'reading right of the organisation ended',
      'pin-requested': 'another PIN given out',
      'pin-changed': 'PIN changed',
      'end-wished': 'end of the case asked for without the recovery code',
      'wishes-stopped': 'stopped with the recovery code',
      paused: 'recognition paused',
      resumed: 'recognition resumed',
      'pin-failed': 'attempts with a wrong PIN',
      'pin-blocked': 'PIN blocked after too many attempts',
      withdrawn: 'case withdrawn, images and videos erased',
      expired: 'case expired, images and videos erased',
      erased: 'erased from the store’s files',
    },
  },
  ms: {
    title: 'Laporan kes imej atau video intim yang disebarkan tanpa persetujuan',
    intro:
      'Tabir mengecam gambar dan video melalui cincangan (hash) dan tidak menyimpan sebarang gambar atau video. Laporan ini tidak mengandungi gambar, video atau cincangan. Rujukan di bawah mewakili gambar dan video yang didaftarkan; tiada maklumat tentang kandungannya boleh diperoleh daripadanya. Semua waktu ialah UTC.',
    caseNumber: 'Nombor kes',
    state: 'Status',
    openedAt: 'Dibuka',
    expiresAt: 'Luput pada',
    endedAt: 'Tamat',
    madeAt: 'Laporan ini dibuat',
    consent: 'Dibuka oleh organisasi, dengan persetujuan bertarikh',
    complaint: 'Nombor aduan dicatat',
    yes: 'ya',
    no: 'tidak',
    registered: 'Apa yang didaftarkan',
    images: { one: 'imej', other: 'imej' },
    videos: { one: 'video', other: 'video' },
    imagesOrVideos: { one: 'imej atau video', other: 'imej atau video' },
    kind: 'Jenis',
    image: 'imej',
    video: 'video',
    hashes: { one: 'cincangan dibuat daripadanya', other: 'cincangan dibuat daripadanya' },
    noImages: 'Tiada imej atau video yang didaftarkan sekarang.',
    reference: 'Rujukan',
    time: 'Waktu',
    category: 'Kategori',
    noCategory: 'tidak dinyatakan',
    tier: 'Kedudukan',
    tierText: 'Dilaporkan: didaftarkan oleh orang yang membuka kes ini. Tiada siapa menyemak siapa dia.',
    timeLine: 'Apa yang berlaku',
    event: 'Peristiwa',
    count: 'Bilangan',
    changedLater: 'diubah kemudian',
    platforms: { one: 'platform', other: 'platform' },
    receipt: 'Resit',
    receiptText:
      'Kes telah tamat. Resit dalam dokumen yang dilampirkan menyatakan apa yang dipadamkan, dan apa yang mungkin masih ada di mana, sehingga bila.',
    signature: 'Tandatangan',
    signatureText:
      'Dokumen report.json yang dilampirkan pada PDF ini menyatakan perkara yang sama dengan halaman ini dan ditandatangani dengan Ed25519. Simpan dan semak dengan: tabir receipts verify report.json. Kunci awam boleh didapati di /v1/receipts/key.',
    page: 'Halaman',
    states: {
      open: 'dibuka',
      active: 'aktif',
      withdrawn: 'ditarik balik',
      erased: 'dipadamkan',
      expired: 'luput',
    },
    categories: {
      nude: 'bogel',
      'underwear-or-swimwear': 'pakaian dalam atau pakaian renang',
      'culturally-intimate': 'intim dalam budaya orang yang ditunjukkan',
      'sexual-act': 'perbuatan seksual',
      synthetic: 'dibuat dengan AI (deepfake)',
      composite: 'gabungan',
    },
    tiers: {
      'self-reported': 'dilaporkan, tidak disemak',
      'ngo-attested': 'disahkan oleh organisasi',
      'platform-confirmed': 'disahkan oleh platform',
      verified: 'ditentusahkan',
    },
    recognitions: {
      decoration: 'sesetengah bahagiannya tidak dibandingkan',
      narrowed: 'hanya salinan yang hampir tidak berubah dikenali',
      listed: 'disenaraikan sebagai tidak berbahaya: salinan mungkin terlepas',
      paused: 'tidak dikenali: dihentikan sementara oleh pemiliknya',
      held: 'tidak dikenali: pengendali sedang menyemaknya',
      judged: 'tidak dikenali: satu bantahan diterima',
      mistake: 'tidak dikenali: ditambah secara silap, seperti yang dijawab',
    },
    events: {
      opened: 'kes dibuka',
      registered: 'imej atau video didaftarkan',
      matched: 'ditemui di platform',
      blocked: 'disekat oleh platform',
      'not-blocked': 'tidak disekat oleh platform',
      disputed: 'imej atau video dipertikaikan',
      'dispute-decided': 'pertikaian diputuskan',
      'dispute-dropped': 'pertikaian digugurkan oleh pihak yang membangkitkannya',
      renewed: 'kes diperbaharui',
      attested: 'imej atau video disahkan oleh organisasi',
      'handed-over': 'kes diserahkan kepada orang dalam gambar',
      'reading-ended': 'hak membaca organisasi ditamatkan',
      'pin-requested': 'PIN lain dikeluarkan',
      'pin-changed': 'PIN ditukar',
      'end-wished': 'penamatan kes diminta tanpa kod pemulihan',
      'wishes-stopped': 'dihentikan dengan kod pemulihan',
      paused: 'pengecaman dijeda',
      resumed: 'pengecaman disambung semula',
      'pin-failed': 'percubaan dengan PIN yang salah',
      'pin-blocked': 'PIN disekat selepas terlalu banyak percubaan',
      withdrawn: 'kes ditarik balik, imej dan video dipadamkan',
      expired: 'kes luput, imej dan video dipadamkan',
      erased: 'dipadamkan daripada fail storan',
    },
  },
}
