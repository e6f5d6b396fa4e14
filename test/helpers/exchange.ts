/** An exchange whose address nothing listens on. */
export const EXCHANGE = {
  api: 'ncmec',
  name: 'ncii-list',
  bank: 'NCII-LIST',
  baseUrl: 'http://127.0.0.1:9',
  username: 'u',
  password: 'p',
  adultClassifications: ['NCII'],
}
