import { ParcomoloError } from '../../base/index.ts'

export type Credentials = { readonly username: string; readonly password: string }

/** Where the registry is, and who asks there. The URL has no credentials in it, so it may be shown. */
export type Address = { readonly url: string; readonly auth: Credentials | undefined }

/**
 * Takes `user:password@` out of the URL; credentials that are given beside it come first. Throws
 * PARCOMOLO_REGISTRY_UNAVAILABLE, not retryable, where it is no URL of http or https.
 */
export const addressOf = (text: string, auth?: Credentials): Address => {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) throw noUrl()
  const inUrl = url.username === '' ? undefined : { username: plain(url.username), password: plain(url.password) }
  return { url: `${url.origin}${url.pathname}`.replace(/\/+$/, ''), auth: auth ?? inUrl }
}

const plain = (encoded: string): string => {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return encoded
  }
}

/** Says nothing of the value: what is no URL may hold a password anywhere. */
const noUrl = (): ParcomoloError =>
  new ParcomoloError(
    'PARCOMOLO_REGISTRY_UNAVAILABLE',
    "the URL of the schema registry is no URL of http or https; expected one such as 'http://registry:8081', with its base path"
  )
