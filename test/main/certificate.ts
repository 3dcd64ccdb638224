import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** A key of its own for every call, so that none has to be kept in the repository. */
export const newKey = (): { readonly publicKey: KeyObject; readonly privateKey: KeyObject; readonly pem: string } => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { publicKey, privateKey, pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

/** A certificate (RFC 5280) that its own key has signed, as PEM. */
export const certificateOf = ({ publicKey, privateKey }: ReturnType<typeof newKey>): string => {
  const algorithm = sequence(objectId('2a8648ce3d040302'))
  const name = sequence(element(0x31, sequence(objectId('550403'), element(0x0c, Buffer.from('parcomolo.test')))))
  const validity = sequence(utcTime('260101000000Z'), utcTime('460101000000Z'))
  const key = publicKey.export({ type: 'spki', format: 'der' })
  const signed = sequence(element(0x02, Buffer.from([1])), algorithm, name, validity, name, key)
  const signature = element(0x03, Buffer.from([0]), sign('sha256', signed, privateKey))
  const der = sequence(signed, algorithm, signature).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${der.replaceAll(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`
}

/** DER: a tag, the length and the content. */
const element = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts)
  const { length } = content
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(length < 0x80 ? [tag, length] : [tag, ...long]), content])
}

const sequence = (...parts: readonly Buffer[]): Buffer => element(0x30, ...parts)
const objectId = (hex: string): Buffer => element(0x06, Buffer.from(hex, 'hex'))
const utcTime = (text: string): Buffer => element(0x17, Buffer.from(text))
