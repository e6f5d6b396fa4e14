// Languages of the page and of the report. A language is a line here, its texts in page/messages and its words in test/page/words.

export interface Language {
  /** BCP 47. */
  readonly tag: string
  /** As its speakers call it. */
  readonly name: string
  readonly direction: 'ltr' | 'rtl'
  /** Whether a native speaker who works with survivors has read it. */
  readonly reviewed: boolean
}

/** The default first, then by tag. */
export const LANGUAGES = [
  { tag: 'en', name: 'English', direction: 'ltr', reviewed: false },
  { tag: 'ar', name: 'العربية', direction: 'rtl', reviewed: false },
  { tag: 'bn', name: 'বাংলা', direction: 'ltr', reviewed: false },
  { tag: 'de', name: 'Deutsch', direction: 'ltr', reviewed: false },
  { tag: 'es', name: 'Español', direction: 'ltr', reviewed: false },
  { tag: 'fil', name: 'Filipino', direction: 'ltr', reviewed: false },
  { tag: 'fr', name: 'Français', direction: 'ltr', reviewed: false },
  { tag: 'hi', name: 'हिन्दी', direction: 'ltr', reviewed: false },
  { tag: 'id', name: 'Bahasa Indonesia', direction: 'ltr', reviewed: false },
  { tag: 'ja', name: '日本語', direction: 'ltr', reviewed: false },
  { tag: 'ko', name: '한국어', direction: 'ltr', reviewed: false },
  { tag: 'ms', name: 'Bahasa Melayu', direction: 'ltr', reviewed: false },
  { tag: 'my', name: 'မြန်မာ', direction: 'ltr', reviewed: false },
  { tag: 'ne', name: 'नेपाली', direction: 'ltr', reviewed: false },
  { tag: 'pt', name: 'Português', direction: 'ltr', reviewed: false },
  { tag: 'ta', name: 'தமிழ்', direction: 'ltr', reviewed: false },
  { tag: 'th', name: 'ไทย', direction: 'ltr', reviewed: false },
  { tag: 'ur', name: 'اردو', direction: 'rtl', reviewed: false },
  { tag: 'vi', name: 'Tiếng Việt', direction: 'ltr', reviewed: false },
  { tag: 'zh-Hans', name: '简体中文', direction: 'ltr', reviewed: false },
] as const satisfies readonly Language[]

export type LanguageTag = (typeof LANGUAGES)[number]['tag']

export const LANGUAGE_TAGS: readonly LanguageTag[] = LANGUAGES.map(({ tag }) => tag)
