// Deletes the sagas of a release, then its participants, and waits until the operator has let go of them; run before
// `helm uninstall`. After the wait it takes the finalizers off those that still have running instances: these stay in
// Kafka as they are, and go on where they were after a new installation.
import { readFileSync } from 'node:fs'

const account = '/var/run/secrets/kubernetes.io/serviceaccount'
const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port, SELECTOR, WAIT_SECONDS } = process.env
const namespace = readFileSync(`${account}/namespace`, 'utf8')
const address = host.includes(':') ? `[${host}]` : host
const resources = `https://${address}:${port}/apis/parcomolo.io/v1alpha1/namespaces/${namespace}`
const end = Date.now() + Number(WAIT_SECONDS) * 1_000

const ask = async (method, path, body) => {
  const authorization = `Bearer ${readFileSync(`${account}/token`, 'utf8')}`
  const headers = { authorization, 'content-type': 'application/merge-patch+json' }
  const answer = await fetch(`${resources}/${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  if (answer.status === 404) return { items: [] }
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}

const selected = (kind) => `${kind}?labelSelector=${encodeURIComponent(SELECTOR)}`

const gone = async (kind) => {
  for (;;) {
    const { items } = await ask('GET', selected(kind))
    if (items.length === 0 || Date.now() >= end) return items
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

for (const kind of ['sagas', 'participants']) {
  await ask('DELETE', selected(kind))
  for (const { metadata } of await gone(kind)) {
    const finalizers = (metadata.finalizers ?? []).filter((name) => !name.startsWith('parcomolo.io/'))
    await ask('PATCH', `${kind}/${metadata.name}`, { metadata: { finalizers } })
    console.log(`${kind}/${metadata.name} is let go of although it is in use`)
  }
  console.log(`no ${kind} are left`)
}
